#include "trainer/step/reading.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace facemae {
namespace {

TEST(Reading, IsOfTheMomentWhenItBegan) {
  auto numbers = torch::tensor({1.5F, -2.0F});
  const Reading reading(numbers);
  numbers.zero_();
  EXPECT_EQ(reading.values(), (std::vector<double>{1.5, -2}));
  EXPECT_EQ(reading.values(), (std::vector<double>{1.5, -2})) << "and again";
}

TEST(Reading, KeepsAllDigitsAndNoGraph) {
  const auto wide = torch::tensor({1.0 / 3}, torch::kFloat64).requires_grad_(true);
  EXPECT_EQ(Reading(wide * 2).values().front(), 2.0 / 3);
}

}  // namespace
}  // namespace facemae
