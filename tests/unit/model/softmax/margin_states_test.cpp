// What margins remember of earlier steps, and what curricularface does with it to the other classes.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "model/softmax/margins.h"

namespace facemae {
namespace {

using torch::Tensor;

Tensor doubles(std::initializer_list<double> values) {
  return torch::tensor(at::ArrayRef<double>(values), torch::kFloat64);
}

TEST(MarginStates, AreTheFirstOnesOfTheirPublications) {
  for (const auto& kind : margin_kinds()) {
    const bool has_one = std::string(kind.name) == "adaface" || std::string(kind.name) == "curricularface";
    EXPECT_EQ(kind.next_state != nullptr, has_one) << kind.name;
  }
  EXPECT_EQ(margin_kind("adaface").first_state[0], 20);
  EXPECT_EQ(margin_kind("adaface").first_state[1], 100);
  EXPECT_EQ(margin_kind("curricularface").first_state[0], 0);
  EXPECT_TRUE(margin_kind("curricularface").needs_cosines);
}

TEST(MarginStates, MoveByTheClippedNormsInAdaface) {
  const auto& kind = margin_kind("adaface");
  // 200 counts as 100: mean 40, squares 900, 400, 100 and 3,600.
  const MarginFaces all{.norms = doubles({10, 20, 30, 200}).requires_grad_()};
  const auto state = kind.next_state(doubles({20, 100}), all);
  EXPECT_NEAR(state[0].item<double>(), 0.01 * 40 + 0.99 * 20, 1e-12);
  EXPECT_NEAR(state[1].item<double>(), 0.01 * std::sqrt(5000.0 / 3) + 0.99 * 100, 1e-12);
  EXPECT_FALSE(state.requires_grad());
  const auto again = kind.next_state(state, all);
  EXPECT_NEAR(again[0].item<double>(), 0.01 * 40 + 0.99 * 20.2, 1e-12);
}

TEST(MarginStates, KeepTheDeviationOfAdafaceWhenThereIsOneFace) {
  const auto state = margin_kind("adaface").next_state(doubles({20, 83.7}), {.norms = doubles({30})});
  EXPECT_NEAR(state[0].item<double>(), 20.1, 1e-12);
  EXPECT_EQ(state[1].item<double>(), 83.7);
}

TEST(MarginStates, TellWhichNormsAreClipped) {
  const auto clipped = [](const std::string& kind, const Tensor& norms) {
    return margin_kind(kind).clips({.norms = norms, .state = doubles({20, 3})}, {.h = 0.333});
  };
  // 20 +- 3.001 / 0.333 is the edge of adaface's quality.
  EXPECT_TRUE(
      clipped("adaface", doubles({10.9, 11.1, 28.9, 29.1})).equal(torch::tensor({true, false, false, true})));
  EXPECT_TRUE(
      clipped("magface", doubles({9.9, 10.1, 109, 111})).equal(torch::tensor({true, false, false, true})));
  EXPECT_EQ(margin_kind("arcface").clips, nullptr);
}

TEST(MarginStates, MoveByTheMeanCosineInCurricularface) {
  const auto& kind = margin_kind("curricularface");
  const MarginFaces all{.cosines = doubles({0.5, -0.25, 1.5, 0.05}).requires_grad_()};  // 1.5 counts as 1
  const auto state = kind.next_state(doubles({0.4, 0}), all);
  EXPECT_NEAR(state[0].item<double>(), 0.01 * 0.325 + 0.99 * 0.4, 1e-12);
  EXPECT_EQ(state[1].item<double>(), 0);
  EXPECT_FALSE(state.requires_grad());
  const auto one = kind.next_state(doubles({0, 0}), {.cosines = doubles({0.5})});
  EXPECT_NEAR(one[0].item<double>(), 0.005, 1e-12);
}

TEST(MarginStates, KeepTheirTypeWhateverTheFacesHave) {
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    const MarginFaces all{.cosines = torch::ones({3}, torch::kFloat32),
                          .norms = torch::ones({3}, torch::kFloat32)};
    for (const std::string name : {"adaface", "curricularface"})
      EXPECT_EQ(margin_kind(name).next_state(torch::ones({2}, type), all).scalar_type(), type) << name;
  }
}

/// Faces with angles of 1, 2 and 3 to their own classes: the last lies beyond pi - m, where the own logit has a fallback
/// and the comparison has none: cos(3.5) = -0.94.
MarginFaces three_faces() { return {.cosines = doubles({1, 2, 3}).cos(), .state = doubles({0.3, 0})}; }
Tensor their_others() {
  return torch::stack({doubles({0.08, 0.05, -0.9, 0.9}), doubles({-0.79, -0.81, 0.0, 1.0}),
                       doubles({-0.95, -0.93, 0.4, -1.0})});
}
const Margin kCurricular{.kind = "curricularface", .m = 0.5};

TEST(MarginStates, WeighHardOtherClassesInCurricularface) {
  const auto before = their_others();
  auto others = before.clone();
  Tensor factors;
  margin_kind("curricularface").move_others(others, factors, three_faces(), kCurricular);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j) {
      const double c = before[i][j].item<double>();
      const bool hard = c > std::cos(i + 1.5);
      EXPECT_NEAR(others[i][j].item<double>(), hard ? c * (0.3 + c) : c, 1e-14);
      EXPECT_NEAR(factors[i][j].item<double>(), hard ? 0.3 + 2 * c : 1, 1e-14);
    }
  const auto hard = before > doubles({1.5, 2.5, 3.5}).cos().unsqueeze(1);
  EXPECT_EQ(hard.sum().item<int>(), 7);  // both cases occur, in all rows
}

TEST(MarginStates, HaveTheFactorsOfTheirDifferences) {
  const auto at = [](double shift) {
    auto others = their_others() + shift;
    Tensor factors;
    margin_kind("curricularface").move_others(others, factors, three_faces(), kCurricular);
    return std::pair(others, factors);
  };
  const auto slopes = (at(1e-6).first - at(-1e-6).first) / 2e-6;
  EXPECT_LT((slopes - at(0).second).abs().max().item<double>(), 1e-8);
}

TEST(MarginStates, MultiplyFactorsThatAreThere) {
  auto others = their_others(), alone = their_others();
  const auto given = torch::arange(12, torch::kFloat64).view({3, 4});
  auto factors = given.clone();
  Tensor own;
  const auto& kind = margin_kind("curricularface");
  kind.move_others(others, factors, three_faces(), kCurricular);
  kind.move_others(alone, own, three_faces(), kCurricular);
  EXPECT_TRUE(others.equal(alone));
  EXPECT_TRUE(factors.equal(given * own));
}

TEST(MarginStates, LeaveTheFactorsStraightThrough) {
  auto others = their_others(), exact = their_others();
  auto straight = kCurricular;
  straight.straight_through = true;
  Tensor factors, of_exact;
  const auto& kind = margin_kind("curricularface");
  kind.move_others(others, factors, three_faces(), straight);
  kind.move_others(exact, of_exact, three_faces(), kCurricular);
  EXPECT_FALSE(factors.defined());
  EXPECT_TRUE(others.equal(exact));
}

TEST(MarginStates, AskForClampedOtherClassesInAdafaceAlone) {
  for (const auto& kind : margin_kinds())
    EXPECT_EQ(kind.largest_cosine, std::string(kind.name) == "adaface" ? 0.999 : 1) << kind.name;
}

}  // namespace
}  // namespace facemae
