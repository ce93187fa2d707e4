#include "trainer/config/schedule.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(Schedule, WarmsUpFromZeroAndEndsAtZero) {
  const Schedule cosine{.kind = "cosine", .peak = 2, .total_images = 1000, .warmup = 0.1};
  EXPECT_EQ(cosine.at(0), 0);
  EXPECT_DOUBLE_EQ(cosine.at(50), 1);
  EXPECT_DOUBLE_EQ(cosine.at(100), 2);
  EXPECT_NEAR(cosine.at(550), 1, 1e-12);
  EXPECT_NEAR(cosine.at(1000), 0, 1e-12);
}

TEST(Schedule, PolynomialFallsLinearly) {
  const Schedule schedule{.kind = "polynomial", .peak = 1, .total_images = 100};
  EXPECT_DOUBLE_EQ(schedule.at(0), 1);
  EXPECT_DOUBLE_EQ(schedule.at(25), 0.75);
  EXPECT_DOUBLE_EQ(schedule.at(100), 0);
}

TEST(Schedule, MultistepFallsTenfoldAtEachMilestone) {
  const Schedule schedule{.kind = "multistep", .peak = 1, .total_images = 100, .milestones = {0.5, 0.75}};
  EXPECT_DOUBLE_EQ(schedule.at(49), 1);
  EXPECT_DOUBLE_EQ(schedule.at(50), 0.1);
  EXPECT_DOUBLE_EQ(schedule.at(75), 0.01);
}

TEST(Schedule, OfAPowerFallsFasterAtFirst) {
  const Schedule schedule{.kind = "polynomial", .peak = 1, .total_images = 100, .warmup = 0.2, .power = 2};
  EXPECT_DOUBLE_EQ(schedule.at(10), 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(20), 1);
  EXPECT_DOUBLE_EQ(schedule.at(60), 0.25);
  EXPECT_DOUBLE_EQ(schedule.at(100), 0);
}

TEST(Schedule, MultistepFallsByGammaAlsoWhereAMilestoneLiesInTheWarmUp) {
  const Schedule schedule{.kind = "multistep",
                          .peak = 1,
                          .total_images = 100,
                          .warmup = 0.2,
                          .milestones = {0.1, 0.5},
                          .gamma = 0.5};
  EXPECT_DOUBLE_EQ(schedule.at(15), 0.75);
  EXPECT_DOUBLE_EQ(schedule.at(20), 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(50), 0.25);
}

TEST(Schedule, ConstantStaysAndNeverGoesBeyondTheRun) {
  const Schedule schedule{.kind = "constant", .peak = 3, .total_images = 10, .warmup = 0.5};
  EXPECT_DOUBLE_EQ(schedule.at(5), 3);
  EXPECT_DOUBLE_EQ(schedule.at(1000), 3);
}

}  // namespace
}  // namespace facemae
