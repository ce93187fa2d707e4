#include "evaluation/statistics/sample_size.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(SampleSize, FollowsTheRuleOfThreeWhenNothingIsFound) {
  // (1 - threshold)^n <= 0.05.
  EXPECT_EQ(people_to_show_below(0.05, 0), 59);
  EXPECT_EQ(people_to_show_below(0.02, 0), 149);
  EXPECT_EQ(people_to_show_below(0.01, 0), 299);
  EXPECT_EQ(people_to_show_below(0.001, 0), 2995);
}

TEST(SampleSize, GrowsAsTheTruthComesNearerToTheThreshold) {
  // 3 hits of 153 have an upper limit of 5 %, and 153 people at 1.25 % have at most 3 with probability 0.87.
  EXPECT_EQ(people_to_show_below(0.05, 0.0125), 153);
  EXPECT_NEAR(static_cast<double>(people_to_show_below(0.05, 0.025)), 390, 40);
  EXPECT_GT(people_to_show_below(0.05, 0.04), 2000);
  EXPECT_THROW(people_to_show_below(0.05, 0.05), ConfigError);
}

TEST(SampleSize, IsAdvisedInASentence) {
  EXPECT_NE(sample_size_advice(0.05, 0).find("about 153 people"), std::string::npos)
      << sample_size_advice(0.05, 0);
  EXPECT_NE(sample_size_advice(0.05, 0.049).find("less leakage"), std::string::npos);
  EXPECT_NE(sample_size_advice(0, 0).find("no number of people"), std::string::npos);
}

}  // namespace
}  // namespace facemae
