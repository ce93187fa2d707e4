#include "trainer/step/range.h"

#include <gtest/gtest.h>

#include <chrono>

namespace facemae {
namespace {

TEST(Range, CostsLittleWhenNobodyLooks) {
  constexpr int kRanges = 100'000;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < kRanges; ++i) const Range range("forward");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("a range: %.0f ns\n", seconds / kRanges * 1e9);
  EXPECT_LT(seconds / kRanges, 10e-6);
}

}  // namespace
}  // namespace facemae
