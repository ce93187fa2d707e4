// Margins against numbers of margins.py, which computes them by another way: values and gradients at 2,000 cosines, both
// ends and both sides of every edge among them.
#include "model/softmax/margins.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cctype>

#include "checkpoint/tensors/safetensors.h"
#include "tests/golden/numbers.h"

namespace facemae {
namespace {

using torch::Tensor;

constexpr double kTolerance = 1e-10;

struct GoldenMargin {
  std::string golden;  ///< the name of its numbers
  Margin margin;
};

std::string name_of_case(const GoldenMargin& tested) {
  std::string name = tested.golden + "_as_" + tested.margin.kind;
  for (auto& letter : name)
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  return name;
}

class GoldenMargins : public testing::TestWithParam<GoldenMargin> {
 protected:
  bool has(const std::string& what) const { return find(what) != numbers_.end(); }
  Tensor of(const std::string& what) const { return find(what)->second; }
  Tensor golden(const std::string& what) const { return of(GetParam().golden + "." + what); }

  MarginFaces faces() const {
    const auto i = torch::arange(of("cosines").size(0), torch::kFloat64);
    return {.cosines = of("cosines").clone().requires_grad_(),
            .norms = of("norms").clone().requires_grad_(),
            .draws = ((i * 61).remainder(801) - 400) / 100,
            .state = torch::tensor({24.5, 17.25}, torch::kFloat64)};
  }

 private:
  std::vector<std::pair<std::string, Tensor>>::const_iterator find(const std::string& what) const {
    return std::find_if(numbers_.begin(), numbers_.end(),
                        [&](const auto& named) { return named.first == what; });
  }
  const std::vector<std::pair<std::string, Tensor>> numbers_ =
      read_safetensors(golden_file("margins.safetensors"));
};

/// The largest |found - wanted| / max(1, |wanted|); where nothing is wanted (NaN), found must be finite.
double worst(const Tensor& found, const Tensor& wanted) {
  EXPECT_EQ(found.sizes(), wanted.sizes());
  EXPECT_TRUE(found.isfinite().all().item<bool>());
  const auto apart = (found - wanted).abs() / wanted.abs().clamp_min(1);
  return torch::where(wanted.isnan(), 0, apart).max().item<double>();
}

TEST_P(GoldenMargins, HaveTheValuesAndGradientsOfTheDefinitions) {
  const auto faces = this->faces();
  const auto moved = margin_kind(GetParam().margin.kind).move(faces, GetParam().margin);
  EXPECT_LT(worst(moved, golden("value")), kTolerance);
  moved.sum().backward();
  const bool plain = !has(GetParam().golden + ".of_cosine");  // the margin is subtracted
  EXPECT_LT(worst(faces.cosines.grad(), plain ? torch::ones_like(moved) : golden("of_cosine")), kTolerance);
  if (has(GetParam().golden + ".of_norm"))
    EXPECT_LT(worst(faces.norms.grad(), golden("of_norm")), kTolerance);
  else
    EXPECT_FALSE(faces.norms.grad().defined());
}

TEST_P(GoldenMargins, HaveTheSameValuesButTheGradientOfTheCosineStraightThrough) {
  const auto faces = this->faces();
  auto margin = GetParam().margin;
  margin.straight_through = true;
  const auto moved = margin_kind(margin.kind).move(faces, margin);
  EXPECT_LT(worst(moved, golden(margin.kind == "arcface" ? "straight_value" : "value")), kTolerance);
  moved.sum().backward();
  EXPECT_TRUE(faces.cosines.grad().equal(torch::ones_like(moved)));
  EXPECT_FALSE(faces.norms.grad().defined());
}

INSTANTIATE_TEST_SUITE_P(All, GoldenMargins,
                         testing::Values(GoldenMargin{"arcface", {.kind = "arcface", .m = 0.5}},
                                         GoldenMargin{"cosface", {.kind = "cosface", .m = 0.4}},
                                         GoldenMargin{"combined_0.9_0.4_0.15",
                                                      {.kind = "combined", .m = 0.4, .m1 = 0.9, .m3 = 0.15}},
                                         GoldenMargin{"combined_1.35_0.1_0.05",
                                                      {.kind = "combined", .m = 0.1, .m1 = 1.35, .m3 = 0.05}},
                                         GoldenMargin{"adaface", {.kind = "adaface", .m = 0.4}},
                                         GoldenMargin{"magface", {.kind = "magface", .m = 0.45}},
                                         GoldenMargin{"arcface", {.kind = "curricularface", .m = 0.5}},
                                         GoldenMargin{"elastic-arc", {.kind = "elastic-arc", .m = 0.5}},
                                         GoldenMargin{"elastic-cos", {.kind = "elastic-cos", .m = 0.35}}),
                         [](const auto& tested) { return name_of_case(tested.param); });

using GoldenMarginParts = GoldenMargins;

TEST_P(GoldenMarginParts, HaveThePenaltyAndTheStatesOfTheDefinitions) {
  const auto& kind = margin_kind(GetParam().margin.kind);
  auto faces = this->faces();
  if (kind.penalty != nullptr) {
    const auto wanted = golden("penalty");
    faces.norms = faces.norms.detach().narrow(0, 0, wanted.size(0)).requires_grad_();
    const auto penalty = kind.penalty(faces, GetParam().margin);
    penalty.sum().backward();
    EXPECT_LT(worst(penalty, wanted), kTolerance);
    EXPECT_LT(worst(faces.norms.grad(), golden("penalty_of_norm")), kTolerance);
  }
  if (kind.next_state != nullptr) {
    const auto before = kind.needs_cosines
                            ? torch::tensor({0.3, 0.0}, torch::kFloat64)
                            : torch::tensor({kind.first_state[0], kind.first_state[1]}, torch::kFloat64);
    EXPECT_LT(worst(kind.next_state(before, faces), golden("next_state")), kTolerance);
  }
  EXPECT_TRUE(kind.penalty != nullptr || kind.next_state != nullptr);
}

INSTANTIATE_TEST_SUITE_P(Some, GoldenMarginParts,
                         testing::Values(GoldenMargin{"adaface", {.kind = "adaface"}},
                                         GoldenMargin{"magface", {.kind = "magface"}},
                                         GoldenMargin{"curricularface", {.kind = "curricularface"}}),
                         [](const auto& tested) { return name_of_case(tested.param); });

}  // namespace
}  // namespace facemae
