#include "trainer/tasks/relation_weight.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

namespace facemae {
namespace {

torch::Tensor number(double value) { return torch::full({}, value, torch::kFloat64); }
torch::Tensor squares(float of_pixel, float of_relation) { return torch::tensor({of_pixel, of_relation}); }

TEST(RelationWeight, OfANumberIsThatNumberWhateverACheckpointSays) {
  RelationWeight fixed("0.1", torch::kCPU);
  EXPECT_EQ(fixed.begin(number(7), 0).item<double>(), 0.1);
  EXPECT_FALSE(fixed.to_be_measured());
}

TEST(RelationWeight, IsTheRatioOfTheNormsEveryTwoHundredSteps) {
  RelationWeight weight("auto:0.5", torch::kCPU);
  weight.begin(number(0), 0);
  ASSERT_TRUE(weight.to_be_measured());
  EXPECT_DOUBLE_EQ(weight.measured(number(0), squares(36, 4)).item<double>(), 0.5 * 6 / 2);
  for (const std::uint64_t step : {1, 199, 201}) {
    EXPECT_EQ(weight.begin(number(1.5), step).item<double>(), 1.5);
    EXPECT_FALSE(weight.to_be_measured()) << step;
  }
  weight.begin(number(1.5), 200);
  EXPECT_TRUE(weight.to_be_measured());
}

TEST(RelationWeight, IsMeasuredAgainUntilANormCanDivide) {
  const float infinite = std::numeric_limits<float>::infinity();
  RelationWeight weight("auto:0.5", torch::kCPU);
  for (std::uint64_t step = 0; step < 3; ++step) {
    weight.begin(number(0), step);
    ASSERT_TRUE(weight.to_be_measured()) << step;
    for (const auto& useless : {squares(36, 0), squares(0, 0), squares(infinite, 4)})
      EXPECT_EQ(weight.measured(number(0), useless).item<double>(), 0) << useless;
  }
  EXPECT_EQ(weight.measured(number(0), squares(36, 4)).item<double>(), 1.5);
  EXPECT_EQ(weight.measured(number(2), squares(36, 4)).item<double>(), 2)
      << "a host that learns late measures a step too many, which changes nothing";
}

}  // namespace
}  // namespace facemae
