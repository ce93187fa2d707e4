#include "core/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"

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

TEST(InRanges, CoverEverythingOnceOnAsManyThreadsAsThereIsWorkFor) {
  struct Case {
    std::int64_t count, least;
    int threads;
    std::size_t ranges;
  };
  for (const auto& [count, least, threads, ranges] :
       {Case{100, 1, 3, 3}, Case{100, 40, 8, 2}, Case{100, 60, 8, 1}, Case{2, 1, 8, 2}, Case{7, 1, 1, 1},
        Case{0, 1, 4, 0}}) {
    std::mutex mutex;
    std::set<std::thread::id> by;
    std::vector<std::pair<std::int64_t, std::int64_t>> seen;
    in_ranges(count, least, threads, [&](std::int64_t begin, std::int64_t end) {
      const std::lock_guard lock(mutex);
      by.insert(std::this_thread::get_id());
      seen.emplace_back(begin, end);
    });
    EXPECT_EQ(seen.size(), ranges);
    std::sort(seen.begin(), seen.end());
    std::int64_t next = 0;
    for (const auto& [begin, end] : seen) {
      EXPECT_EQ(begin, next);
      EXPECT_GE(end - begin, std::min(least, count));
      next = end;
    }
    EXPECT_EQ(next, count);
    if (ranges == 1) {
      EXPECT_EQ(by, std::set{std::this_thread::get_id()});
    }
  }
}

// Two that wait for each other: on one thread they would wait for ever.
TEST(InRanges, RunAtTheSameTime) {
  std::latch both(2);
  in_ranges(2, 1, 2, [&](std::int64_t /*begin*/, std::int64_t /*end*/) { both.arrive_and_wait(); });
  EXPECT_TRUE(both.try_wait());
}

TEST(InRanges, ThrowOnWhatTheyThrow) {
  EXPECT_THROW(in_ranges(9, 1, 3,
                         [](std::int64_t begin, std::int64_t /*end*/) {
                           if (begin > 0) throw Error("no");
                         }),
               Error);
}

}  // namespace
}  // namespace facemae
