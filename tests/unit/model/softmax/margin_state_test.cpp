#include "model/softmax/margin_state.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace facemae {
namespace {

torch::Tensor norms_of(double first) { return torch::tensor({first, first + 3, first + 9}, torch::kFloat64); }

// Each micro-batch is seen beside what the step began with; the step itself moves the value once, by all faces.
TEST(MarginState, IsMovedOnceAStepByTheFacesOfAllMicroBatches) {
  const Margin margin{.kind = "adaface", .m = 0.4};
  MarginState state(margin, torch::kCPU, torch::kFloat64);
  const auto start = state.value().clone();
  const auto next = margin_kind("adaface").next_state;
  state.begin();
  for (const double first : {15.0, 40.0}) {
    const MarginFaces faces{.norms = norms_of(first)};
    EXPECT_TRUE(state.moved_by(faces).equal(next(start, faces)));
    EXPECT_TRUE(state.value().equal(start));
  }
  state.end(torch::zeros({}));
  EXPECT_TRUE(state.value().equal(next(start, {.norms = torch::cat({norms_of(15), norms_of(40)})})));
  EXPECT_EQ(state.norms().size(0), 6);
}

TEST(MarginState, KeepsEveryBitWhenTheStepIsSkipped) {
  MarginState state({.kind = "curricularface"}, torch::kCPU);
  state.begin();
  state.moved_by({.cosines = torch::full({2}, 0.5), .norms = torch::full({2}, NAN)});
  state.end(torch::ones({}));
  EXPECT_TRUE(state.value().equal(torch::zeros({2})));
  state.end(torch::zeros({}));
  EXPECT_NEAR(state.value()[0].item<double>(), 0.005, 1e-9);
}

TEST(MarginState, OfMostMarginsIsNone) {
  MarginState state({.kind = "arcface"}, torch::kCPU);
  EXPECT_FALSE(state.any());
  EXPECT_FALSE(state.value().defined());
  EXPECT_FALSE(state.norms().defined());
  state.begin();
  EXPECT_FALSE(state.moved_by({.norms = torch::ones({4})}).defined());
  state.end(torch::zeros({}));
  EXPECT_EQ(state.norms().size(0), 4) << "metrics tell them";
}

}  // namespace
}  // namespace facemae
