#include "core/random/discrete_gaussian.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "core/error.h"

namespace facemae {
namespace {

TEST(DiscreteGaussian, HasItsProbabilities) {
  constexpr int draws = 20000;
  for (const std::uint64_t variance : {1, 3, 25}) {
    SecretStream stream(SecretKey{{static_cast<std::uint8_t>(variance)}});
    std::map<std::int64_t, int> counted;
    for (int i = 0; i < draws; ++i) ++counted[discrete_gaussian(stream, variance)];
    const auto weight = [&](std::int64_t x) {
      return std::exp(-static_cast<double>(x * x) / (2 * static_cast<double>(variance)));
    };
    double whole = 0;
    for (std::int64_t x = -100; x <= 100; ++x) whole += weight(x);
    double chi_square = 0, values = 0, tail = draws, counted_tail = draws;
    for (std::int64_t x = -100; x <= 100; ++x) {
      const double expected = draws * weight(x) / whole;
      if (expected < 10) continue;
      chi_square += std::pow(counted[x] - expected, 2) / expected;
      ++values;
      tail -= expected;
      counted_tail -= counted[x];
    }
    chi_square += std::pow(counted_tail - tail, 2) / tail;
    // Of `values` degrees of freedom: mean `values`, variance twice that; five deviations.
    EXPECT_LT(chi_square, values + 5 * std::sqrt(2 * values)) << variance;
    EXPECT_GT(values, 5);
  }
}

TEST(DiscreteGaussian, IsANormalWhereItsStepsAreSmall) {
  constexpr double deviation = 1.7e6;
  SecretStream stream(SecretKey{{9}});
  std::vector<double> drawn;
  drawn.reserve(4000);
  for (int i = 0; i < 4000; ++i)
    drawn.push_back(
        static_cast<double>(discrete_gaussian(stream, static_cast<std::uint64_t>(deviation * deviation))) /
        deviation);
  std::sort(drawn.begin(), drawn.end());
  double farthest = 0;  // Kolmogorov and Smirnov's distance; above 1.63 / sqrt(n) in one of a hundred samples
  for (std::size_t i = 0; i < drawn.size(); ++i)
    farthest =
        std::max(farthest, std::abs((static_cast<double>(i) + 0.5) / static_cast<double>(drawn.size()) -
                                    std::erfc(-drawn[i] / std::sqrt(2)) / 2));
  EXPECT_LT(farthest, 1.63 / std::sqrt(4000.0));
}

TEST(DiscreteGaussian, FollowsFromTheKeyAlone) {
  SecretStream one(SecretKey{{1}}), same(SecretKey{{1}}), other(SecretKey{{2}});
  std::vector<std::int64_t> of_one, of_same, of_other;
  for (int i = 0; i < 20; ++i) {
    of_one.push_back(discrete_gaussian(one, kLargestDiscreteVariance));
    of_same.push_back(discrete_gaussian(same, kLargestDiscreteVariance));
    of_other.push_back(discrete_gaussian(other, kLargestDiscreteVariance));
  }
  EXPECT_EQ(of_one, of_same);
  EXPECT_NE(of_one, of_other);
}

TEST(DiscreteGaussian, RefusesVariancesThatItCannotHold) {
  SecretStream stream(SecretKey{{1}});
  EXPECT_THROW(discrete_gaussian(stream, 0), Error);
  EXPECT_THROW(discrete_gaussian(stream, kLargestDiscreteVariance + 1), Error);
}

}  // namespace
}  // namespace facemae
