#include "core/background_job.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <latch>
#include <stdexcept>
#include <thread>

namespace facemae {
namespace {

using namespace std::chrono_literals;

TEST(BackgroundJob, RunsOneJobAfterTheOtherAndTellsWhatTheyThrew) {
  BackgroundJob jobs;
  EXPECT_FALSE(jobs.busy());
  EXPECT_TRUE(jobs.wait_for(0ms));
  std::latch go(1);
  int value = 0;
  jobs.start([&](const std::stop_token&) {
    go.wait();
    value = 1;
  });
  EXPECT_TRUE(jobs.busy());
  EXPECT_FALSE(jobs.wait_for(1ms));
  go.count_down();
  while (!jobs.wait_for(1s)) {
  }
  EXPECT_EQ(value, 1);
  EXPECT_EQ(jobs.take_failure(), "");
  jobs.start([](const std::stop_token&) { throw std::runtime_error("the disk is full"); });
  while (!jobs.wait_for(1s)) {
  }
  EXPECT_EQ(jobs.take_failure(), "the disk is full");
  EXPECT_EQ(jobs.take_failure(), "") << "told once";
}

TEST(BackgroundJob, ASecondJobBeginsWithoutTheFirstOnesWishToStop) {
  BackgroundJob jobs;
  jobs.start([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  jobs.ask_to_stop();
  while (!jobs.wait_for(1s)) {
  }
  bool asked = true;
  jobs.start([&](const std::stop_token& stop) { asked = stop.stop_requested(); });
  while (!jobs.wait_for(1s)) {
  }
  EXPECT_FALSE(asked);
}

TEST(BackgroundJob, AsksARunningJobToStopWhenItGoesAway) {
  bool stopped = false;
  {
    BackgroundJob jobs;
    jobs.start([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) std::this_thread::yield();
      stopped = true;
    });
  }
  EXPECT_TRUE(stopped);
}

struct Gone {
  ~Gone() { std::abort(); }
};

TEST(BackgroundJob, ThatNeverEndsIsLeftBehindAndTheProcessEndsWithItsCodeAndNothingTakenAway) {
  const auto end = [] {
    static const Gone used_by_the_job;
    {
      BackgroundJob jobs;
      jobs.start([](const std::stop_token&) { std::this_thread::sleep_for(1h); });
    }
    std::fputs("said", stderr);
    std::exit(76);
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(76), "said");
}

}  // namespace
}  // namespace facemae
