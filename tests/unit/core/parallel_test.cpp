#include "core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace facemae {
namespace {

TEST(InParallel, DoesEveryPieceOnceAndTellsTheEnd) {
  for (const int threads : {0, 1, 3, 50}) {
    std::vector<std::atomic<int>> done(20);
    std::size_t seen = 0;
    in_parallel(
        done.size(), threads, [&](std::size_t i) { ++done[i]; }, [&](std::size_t n) { seen = n; });
    for (const auto& times : done) EXPECT_EQ(times, 1);
    EXPECT_EQ(seen, done.size());
  }
  in_parallel(0, 4, [](std::size_t) { FAIL(); });
}

TEST(InParallel, ThrowsTheLowestFailureAndBeginsNothingMore) {
  std::atomic<int> begun = 0;
  try {
    in_parallel(1000, 4, [&](std::size_t i) {
      ++begun;
      if (i == 3) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (i == 3 || i == 5) throw std::runtime_error(std::to_string(i));
      if (i > 5) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "3");
  }
  EXPECT_LT(begun, 100);
}

}  // namespace
}  // namespace facemae
