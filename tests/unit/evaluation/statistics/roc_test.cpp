#include "evaluation/statistics/roc.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

const TarAtFar& at(const std::vector<TarAtFar>& rates, double far) {
  for (const auto& rate : rates)
    if (rate.far == far) return rate;
  throw std::runtime_error("no such rate");
}

TEST(Roc, LeavesOutRatesOfWhichTheImpostorsTellNothing) {
  PairScores<float> scores{{1}, std::vector<float>(9, 2)};
  EXPECT_TRUE(tar_at_far(scores).empty());
  scores.different.push_back(2);
  ASSERT_EQ(tar_at_far(scores).size(), 1U) << "1 of 10 is a tenth";
  scores.different.assign(999'999, 2);
  EXPECT_EQ(tar_at_far(scores).size(), 5U);
  scores.different.push_back(2);
  EXPECT_EQ(tar_at_far(scores).size(), 6U);
  EXPECT_EQ(tar_at_far(scores).back().tar, 1);
  scores.same.clear();
  EXPECT_TRUE(tar_at_far(scores).empty());
}

TEST(Roc, TellsTheExactRateFromTheNearest) {
  // Of 20 impostors, 1 comes before the second genuine pair and 3 before the third: shares .05 and .15, as near to .1.
  PairScores<double> scores{{1, 3, 5, 9}, {2, 4, 4.5}};
  scores.different.resize(20, 10);
  scores.sort();
  const TarAtFar rate = at(tar_at_far(scores), 0.1);
  EXPECT_EQ(rate.tar, 0.5) << "two false accepts are within the rate, but let no other genuine pair in";
  EXPECT_EQ(rate.nearest_far, 0.15);
  EXPECT_EQ(rate.nearest_tar, 1) << "of the points that are as near, the one with more true accepts";
}

TEST(Roc, OfTheNearestLeavesOutPointsBetweenCorners) {
  // Impostors one by one: only the corners at 0 and at the end are kept, and 0 is nearer to .1 than 1.
  PairScores<float> scores{{1}, {}};
  for (int i = 0; i < 40; ++i) scores.different.push_back(static_cast<float>(2 + i));
  const TarAtFar rate = at(tar_at_far(scores), 0.1);
  EXPECT_EQ(rate.nearest_far, 0);
  EXPECT_EQ(rate.nearest_tar, 1);
  scores.different[4] = scores.different[3];  // a tie is a corner: 3 and 5 of 40 are kept beside it
  EXPECT_EQ(at(tar_at_far(scores), 0.1).nearest_far, 0.125);
}

TEST(Roc, VisitsEachScoreOnceInOrder) {
  const PairScores<float> scores{{1, 2, 2}, {2, 3}};
  std::vector<RocPoint> points;
  walk_roc(scores, [&](const RocPoint& point) { points.push_back(point); });
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[1].score, 2);
  EXPECT_EQ(points[1].same, 3);
  EXPECT_EQ(points[1].different, 1);
  EXPECT_EQ(roc_areas(scores).auc, 5.0 / 6);
}

}  // namespace
}  // namespace facemae
