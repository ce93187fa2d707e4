#include "evaluation/campaign/link_test.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/random/keys.h"
#include "evaluation/campaign/fold_means.h"

namespace facemae {
namespace {

/// `people` of as many classes of one person each, and 3 strangers.
Target crowd(std::int64_t people) {
  Target target;
  target.members = people;
  target.real.people_count = people + 3;
  target.released.class_count = people;
  for (std::int64_t p = 0; p < people; ++p) target.links.people_of_class.push_back({p});
  return target;
}

/// Scores of other pairs are uniform in 0..1, those of the right pairs are told by `right`; strangers score 9.
template <class Right>
Search scores_of(const Target& target, Right right) {
  const std::int64_t people = target.real.people_count, classes = target.released.class_count;
  Draws draws(5);
  Search search{Level::PersonToClass, "means", torch::full({people, classes}, 9.0f), {}, {}};
  for (std::int64_t p = 0; p < people; ++p) {
    search.right.emplace_back();
    search.person.push_back(p);
    if (p >= target.members) continue;
    search.right.back() = {p};
    for (std::int64_t c = 0; c < classes; ++c) search.scores[p][c] = static_cast<float>(draws.uniform(0, 1));
    search.scores[p][p] = static_cast<float>(right(p));
  }
  return search;
}

const AttackFigure& figure(const std::vector<AttackFigure>& all, const std::string& metric, double far) {
  for (const AttackFigure& one : all)
    if (one.metric == metric && one.far == far) return one;
  throw std::runtime_error("no " + metric);
}

TEST(LinkTest, CountsRightPairsAboveTheThresholdOfFalseAccepts) {
  const Target target = crowd(80);
  LinkTest test("A4", "recogniser, means");
  // The threshold of 1 % is near 0.99: a quarter of the people are above it.
  test.add(scores_of(target, [](std::int64_t p) { return p < 20 ? 2.0 : 0.5; }), target);
  const auto all = test.figures();
  ASSERT_EQ(all.size(), 2U) << "80 x 79 pairs are too few for 0.1 %";
  const AttackFigure& tar = figure(all, "tar_at_far", 0.01);
  EXPECT_EQ(tar.attack, "A4");
  EXPECT_EQ(tar.people, 80);
  EXPECT_EQ(tar.person_pairs, 80 * 79);
  EXPECT_DOUBLE_EQ(tar.found.value, 0.25);
  EXPECT_GT(tar.found.low, 0.12);
  EXPECT_LT(tar.found.low, 0.20);
  EXPECT_GT(tar.found.high, 0.30);
  EXPECT_LT(tar.found.high, 0.40);
  EXPECT_GT(figure(all, "dsys", 0).found.value, 0.2);
}

TEST(LinkTest, IsAtChanceWhereScoresTellNothing) {
  const Target target = crowd(200);
  LinkTest test("A6", "embedder");
  Draws draws(9);
  test.add(scores_of(target, [&](std::int64_t) { return draws.uniform(0, 1); }), target);
  const auto all = test.figures();
  for (const double far : {0.01, 0.001}) {
    const AttackFigure& tar = figure(all, "tar_at_far", far);
    EXPECT_LE(tar.found.low, far);
    EXPECT_GE(tar.found.high, far);
    EXPECT_LT(tar.found.value, 0.03);
  }
  EXPECT_LT(figure(all, "dsys", 0).found.value, 0.15);
}

TEST(LinkTest, SplitsTiesSoThatTheRateIsExact) {
  const Target target = crowd(80);
  LinkTest test("A4", "says the same of all");
  Search same = scores_of(target, [](std::int64_t) { return 0; });
  same.scores.zero_();
  test.add(same, target);
  EXPECT_NEAR(figure(test.figures(), "tar_at_far", 0.01).found.value, 0.01, 1e-12);
  EXPECT_EQ(figure(test.figures(), "dsys", 0).found.value, 0);
}

TEST(LinkTest, FoldsAreAveragedWhereAllOfThemHaveTheFigure) {
  LinkTest test("A5", "linker");
  const Target small = crowd(40), large = crowd(80);
  test.add(scores_of(small, [](std::int64_t) { return 2.0; }), small);
  test.add(scores_of(large, [](std::int64_t) { return 2.0; }), large);
  const auto all = test.figures();
  ASSERT_EQ(all.size(), 1U) << "40 people are too few for a threshold at 1 %";
  EXPECT_EQ(all[0].metric, "dsys");
  EXPECT_EQ(all[0].people, 120);
  EXPECT_EQ(all[0].person_pairs, 40 * 39 + 80 * 79);
  EXPECT_GT(all[0].found.value, 0.95);
  EXPECT_TRUE(LinkTest("A5", "nothing").figures().empty());
}

}  // namespace
}  // namespace facemae
