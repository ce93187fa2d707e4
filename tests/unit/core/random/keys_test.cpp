#include "core/random/keys.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace facemae {
namespace {

TEST(Keys, DifferWhenAnyPartDiffers) {
  std::set<std::uint64_t> keys;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    for (const Purpose purpose : {Purpose::Order, Purpose::Mask, Purpose::Flip})
      for (std::uint64_t a = 0; a < 50; ++a)
        for (std::uint64_t b = 0; b < 4; ++b) keys.insert(key_of(seed, purpose, a, b));
  EXPECT_EQ(keys.size(), 4u * 3 * 50 * 4);
}

TEST(Keys, AreThoseOfEarlierVersions) {  // runs depend on them: this number must never change
  EXPECT_EQ(key_of(1, Purpose::Mask, 2, 3), key_of(1, Purpose::Mask, 2, 3));
  EXPECT_EQ(mix(0x9E3779B97F4A7C15ULL), 0xE220A8397B1DCDAFULL);  // splitmix64's first output for seed 0
}

TEST(Draws, AreUniformAndNormal) {
  Draws draws(key_of(7, Purpose::Init));
  double sum = 0, normal_sum = 0, normal_square = 0;
  constexpr int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double u = draws.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    const double z = draws.normal();
    normal_sum += z;
    normal_square += z * z;
  }
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(normal_sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(normal_square / n, 1, 5 * std::sqrt(2.0 / n));
}

TEST(Draws, BelowStaysBelowAndReachesAll) {
  Draws draws(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(draws.below(7));
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(*seen.rbegin(), 6u);
}

}  // namespace
}  // namespace facemae
