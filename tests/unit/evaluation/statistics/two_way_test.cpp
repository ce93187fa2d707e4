#include "evaluation/statistics/two_way.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

/// Share of pairs (a, b), a < b, that are accepted, for weights.
double share(const std::vector<std::vector<bool>>& accepted, std::span<const double> weights) {
  double hits = 0, all = 0;
  for (std::size_t a = 0; a < weights.size(); ++a)
    for (std::size_t b = a + 1; b < weights.size(); ++b) {
      all += weights[a] * weights[b];
      hits += accepted[a][b] ? weights[a] * weights[b] : 0;
    }
  return all > 0 ? hits / all : std::numeric_limits<double>::quiet_NaN();
}

TEST(TwoWay, KnowsThatPairsOfOnePersonAreAcceptedTogether) {
  // 60 people; each is taken for others at a rate of their own, "wolves" much more often (Doddington et al. 1998).
  constexpr std::int64_t people = 60, pairs = people * (people - 1) / 2;
  std::mt19937_64 random(3);
  int held = 0, held_by_pairs = 0;
  constexpr int sets = 120;
  // A pair is accepted when the mean of both tempers is above 0.8: both uniform, so in 0.08 of all pairs.
  constexpr double truth = 0.08;
  for (int set = 0; set < sets; ++set) {
    std::vector<double> temper(people);
    for (double& value : temper) value = std::uniform_real_distribution<>()(random);
    std::vector<std::vector<bool>> accepted(people, std::vector<bool>(people));
    double hits = 0;
    for (std::size_t a = 0; a < people; ++a)
      for (std::size_t b = a + 1; b < people; ++b) {
        accepted[a][b] = temper[a] + temper[b] > 1.6;
        hits += accepted[a][b];
      }
    const Figure found = two_way_interval(hits / pairs, people, pairs, [&](std::span<const double> weights) {
      return share(accepted, weights);
    });
    held += found.low <= truth && truth <= found.high;
    const Figure by_pairs = clopper_pearson(hits, pairs);
    held_by_pairs += by_pairs.low <= truth && truth <= by_pairs.high;
  }
  EXPECT_GE(held, static_cast<int>(0.91 * sets));
  EXPECT_LE(held_by_pairs, static_cast<int>(0.8 * sets))
      << "pairs are not independent here, or the test shows nothing";
}

TEST(TwoWay, IsAsWideAsThePeopleAllowWhenNothingIsFound) {
  const auto nothing = [](std::span<const double>) { return 0.0; };
  EXPECT_EQ(two_way_interval(0, 120, 100000, nothing).high, clopper_pearson(0, 120).high);
  EXPECT_EQ(two_way_interval(0.3, 50, 900, nothing).value, 0.3);
  const auto never = [](std::span<const double>) { return std::numeric_limits<double>::quiet_NaN(); };
  EXPECT_EQ(two_way_interval(0, 120, 100000, never).high, clopper_pearson(0, 120).high);
}

}  // namespace
}  // namespace facemae
