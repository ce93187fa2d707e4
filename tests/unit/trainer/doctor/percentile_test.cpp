#include "trainer/doctor/percentile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trainer/doctor/save_cost.h"

namespace facemae {
namespace {

using testing::ElementsAre, testing::IsEmpty;

TEST(Percentile, IsTheNearestRank) {
  std::vector<double> hundred;
  for (int i = 100; i >= 1; --i) hundred.push_back(i);
  EXPECT_EQ(percentile(hundred, 0.5), 50);
  EXPECT_EQ(percentile(hundred, 0.99), 99);
  EXPECT_EQ(percentile(hundred, 1), 100);
  EXPECT_EQ(percentile({7}, 0.01), 7);
  EXPECT_EQ(percentile({}, 0.5), 0);
}

TEST(Median, IsTheMiddleOrTheMeanOfBoth) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({}), 0);
}

TEST(SlowOnes, AreBelowAPartOfTheMedianOfTheOthers) {
  EXPECT_THAT(slow_ones({10, 9, 4, 11}), ElementsAre(2));
  EXPECT_THAT(slow_ones({10, 9, 6, 11}), IsEmpty());
  EXPECT_THAT(slow_ones({10, 9, 6, 11}, 0.75), ElementsAre(2));
  EXPECT_THAT(slow_ones({1, 10, 1, 10, 10}), ElementsAre(0, 2));
  EXPECT_THAT(slow_ones({4, 10}), ElementsAre(0));
  EXPECT_THAT(slow_ones({4}), IsEmpty());
  EXPECT_THAT(slow_ones({}), IsEmpty());
}

TEST(SaveAdvice, LeavesOneAndAHalfSavesAndAMinuteForTheNotice) {
  const SaveAdvice advice = advice_on_saves(20, 0.5);
  EXPECT_EQ(advice.lead, 90);
  EXPECT_NEAR(advice.minutes, 5, 1);  // sqrt(2 * 0.5 * 86400) = 294 s
}

TEST(SaveAdvice, NeverSavesMoreOftenThanASaveTakesTwice) {
  EXPECT_EQ(advice_on_saves(600, 0.001).minutes, 20);
}

}  // namespace
}  // namespace facemae
