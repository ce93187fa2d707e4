#include "trainer/step/stretch_clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace facemae {
namespace {

TEST(StretchClock, AddsUpStretchesUntilTheyAreTold) {
  StretchClock clock(torch::kCPU);
  EXPECT_EQ(clock.take(), 0);
  for (int stretch = 0; stretch < 2; ++stretch) {
    clock.begin();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    clock.end();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_GE(clock.take(), 0.004);
  EXPECT_EQ(clock.take(), 0);
}

}  // namespace
}  // namespace facemae
