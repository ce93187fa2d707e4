#include "evaluation/statistics/mean.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/random/keys.h"

namespace facemae {
namespace {

TEST(IntervalOfMean, IsStudents) {
  const std::vector<double> five{0.70, 0.72, 0.74, 0.73, 0.71};
  const Figure mean = interval_of_mean(five);
  EXPECT_NEAR(mean.value, 0.72, 1e-12);
  EXPECT_NEAR(mean.high - mean.value, 2.776445 * 0.0158114 / std::sqrt(5), 1e-6);  // t(4), standard deviation
  EXPECT_NEAR(mean.value - mean.low, mean.high - mean.value, 1e-12);
}

TEST(IntervalOfMean, SaysNothingOfOneValueAndNothingAtAllOfNone) {
  const std::vector<double> one{0.5};
  EXPECT_EQ(interval_of_mean(one).value, 0.5);
  EXPECT_TRUE(std::isnan(interval_of_mean(one).low));
  EXPECT_TRUE(std::isnan(interval_of_mean({}).value));
}

TEST(IntervalOfMean, HoldsTheMeanOfNormalValuesNineteenTimesInTwenty) {
  Draws draws(key_of(1, Purpose::Audit));
  constexpr int kSets = 4000;
  int held = 0;
  for (int set = 0; set < kSets; ++set) {
    std::vector<double> values;
    for (int i = 0; i < 5; ++i) values.push_back(draws.normal());
    const Figure mean = interval_of_mean(values);
    held += mean.low <= 0 && 0 <= mean.high;
  }
  EXPECT_NEAR(held / static_cast<double>(kSets), 0.95, 0.012);
}

}  // namespace
}  // namespace facemae
