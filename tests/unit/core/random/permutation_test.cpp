#include "core/random/permutation.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"

namespace facemae {
namespace {

TEST(Permutation, VisitsEveryElementOnceAtAwkwardSizes) {
  for (const std::uint64_t n : {1u, 2u, 3u, 5u, 16u, 17u, 63u, 64u, 65u, 1000u, 4097u}) {
    for (const std::uint64_t key : {0ULL, 1ULL, 2ULL, 3ULL, ~0ULL}) {
      const Permutation permutation(n, key);
      std::vector<int> seen(n, 0);
      for (std::uint64_t i = 0; i < n; ++i) {
        const std::uint64_t to = permutation(i);
        ASSERT_LT(to, n);
        ++seen[to];
        ASSERT_EQ(permutation.inverse(to), i);
      }
      for (const int count : seen) ASSERT_EQ(count, 1) << "n " << n;
    }
  }
}

TEST(Permutation,
     LooksRandom) {  // where elements 0 and 1 of 8 go, over many keys: chi-square with 7 degrees of freedom
  constexpr int keys = 8000;
  int places[2][8] = {};
  for (int key = 0; key < keys; ++key) {
    const Permutation permutation(8, static_cast<std::uint64_t>(key) * 977);
    for (int element = 0; element < 2; ++element)
      ++places[element][permutation(static_cast<std::uint64_t>(element))];
  }
  for (const auto& counts : places) {
    double chi_square = 0;
    for (const int count : counts) chi_square += (count - keys / 8.0) * (count - keys / 8.0) / (keys / 8.0);
    EXPECT_LT(chi_square, 24.3);  // 0.1 % of true permutations exceed it
  }
}

TEST(Permutation, OfNothingIsRefused) { EXPECT_THROW(Permutation(0, 1), Error); }

}  // namespace
}  // namespace facemae
