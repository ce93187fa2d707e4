#include "model/softmax/margins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace facemae {
namespace {

using std::numbers::pi;
using torch::Tensor;

/// Moved cosines of faces whose norm is 20, whose draw is 0, and whose statistics are a mean of 20 and a deviation of 9.999.
Tensor moved(const Tensor& cosines, const Margin& margin, double norm = 20, double draw = 0) {
  return margin_kind(margin.kind)
      .move({.cosines = cosines,
             .norms = torch::full_like(cosines, norm),
             .draws = torch::full_like(cosines, draw),
             .state = torch::tensor({20.0, 9.999}, cosines.dtype())},
            margin);
}

Margin usual(const MarginKind& kind) { return {.kind = kind.name, .m = kind.m}; }

/// Cosines of angles from `first` to `last`, both included.
Tensor cosines_of_angles(double first = 0, double last = pi) {
  return torch::linspace(first, last, 4001, torch::kFloat64).cos();
}

double apart(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

bool falls(const Tensor& logits) { return (logits.diff() < 0).all().item<bool>(); }

TEST(Margins, AddTheAngleInArcfaceAndSubtractTheMarginInCosface) {
  const auto cosines = torch::tensor({-0.8, -0.3, 0.0, 0.5, 0.99}, torch::kFloat64);
  const auto arc = moved(cosines, {.kind = "arcface", .m = 0.5});
  const auto cos = moved(cosines, {.kind = "cosface", .m = 0.4});
  for (int i = 0; i < cosines.size(0); ++i) {
    const double c = cosines[i].item<double>();
    EXPECT_NEAR(arc[i].item<double>(), std::cos(std::acos(c) + 0.5), 1e-12);
    EXPECT_NEAR(cos[i].item<double>(), c - 0.4, 1e-12);
  }
}

TEST(Margins, AreArcfaceAndCosfaceWhereTheyCombineOneOfTheParts) {
  const auto within = cosines_of_angles(0, pi - 0.5 - 1e-9);
  EXPECT_LT(
      apart(moved(within, {.kind = "combined", .m = 0.5}), moved(within, {.kind = "arcface", .m = 0.5})),
      1e-10);
  const auto all = cosines_of_angles();
  EXPECT_LT(
      apart(moved(all, {.kind = "combined", .m = 0, .m3 = 0.4}), moved(all, {.kind = "cosface", .m = 0.4})),
      1e-10);
}

TEST(Margins, AreCosfaceWhereAdafaceIgnoresTheNorm) {
  const auto within = cosines_of_angles(std::acos(0.999), std::acos(-0.999));
  for (const double norm : {1.0, 20.0, 90.0})
    EXPECT_LT(apart(moved(within, {.kind = "adaface", .m = 0.4, .h = 0}, norm),
                    moved(within, {.kind = "cosface", .m = 0.4})),
              1e-10);
}

TEST(Margins, GoFromAnAngleToACosineWithTheNormInAdaface) {
  const auto within = cosines_of_angles(0.5, pi - 0.5), theta = within.acos();
  const Margin margin{.kind = "adaface", .m = 0.4};
  const auto of = [&](double quality) { return (theta - 0.4 * quality).cos() - 0.4 * (1 + quality); };
  EXPECT_LT(apart(moved(within, margin, 5), of(-1.5 * 0.333)), 1e-12);
  EXPECT_LT(apart(moved(within, margin, 30), of(0.333)), 1e-12);
  EXPECT_LT(apart(moved(within, margin, 99), of(1)), 1e-12);   // clipped
  EXPECT_LT(apart(moved(within, margin, 900), of(1)), 1e-12);  // the norm is clipped, too
  const Margin steep{.kind = "adaface", .m = 0.4, .h = 3};
  EXPECT_LT(apart(moved(within, steep, 1), (theta + 0.4).cos()), 1e-12);  // the lower end: an angle alone
}

TEST(Margins, GrowWithTheNormInMagface) {
  const auto sharp = cosines_of_angles(0, pi / 2 - 1e-6), theta = sharp.acos();
  const Margin margin{.kind = "magface", .m = 0.45};
  EXPECT_LT(apart(moved(sharp, margin, 3), (theta + 0.45).cos()), 1e-12);
  EXPECT_LT(apart(moved(sharp, margin, 60), (theta + 0.625).cos()), 1e-12);
  EXPECT_LT(apart(moved(sharp, margin, 500), (theta + 0.8).cos()), 1e-12);
}

TEST(Margins, MoveByTheDrawInElasticOnes) {
  const auto all = cosines_of_angles();
  for (const double draw : {0.0, 2.0, -1.0}) {
    EXPECT_LT(apart(moved(all, {.kind = "elastic-arc", .m = 0.5}, 20, draw),
                    moved(all, {.kind = "arcface", .m = 0.5 + 0.05 * draw})),
              1e-12);
    EXPECT_LT(apart(moved(all, {.kind = "elastic-cos", .m = 0.35}, 20, draw),
                    moved(all, {.kind = "cosface", .m = 0.35 + 0.05 * draw})),
              1e-12);
  }
}

TEST(Margins, FallAsTheAngleGrows) {
  const auto all = cosines_of_angles();
  for (const std::string kind :
       {"arcface", "cosface", "combined", "curricularface", "elastic-arc", "elastic-cos"})
    EXPECT_TRUE(falls(moved(all, usual(margin_kind(kind))))) << kind;
  // Adaface is flat where it is clipped, so it only never rises.
  for (const double norm : {5.0, 20.0, 40.0})
    EXPECT_TRUE((moved(all, {.kind = "adaface", .m = 0.4}, norm).diff() <= 0).all().item<bool>()) << norm;
}

TEST(Margins, FallWithoutAGapWhenCombined) {
  const auto all = cosines_of_angles();
  for (const auto& margin :
       {Margin{.kind = "combined", .m = 0.5}, Margin{.kind = "combined", .m = 0.3, .m3 = 0.2},
        Margin{.kind = "combined", .m = 0, .m1 = 1.35}, Margin{.kind = "combined", .m = 0.1, .m1 = 3},
        Margin{.kind = "combined", .m = 0.4, .m1 = 0.9, .m3 = 0.15}}) {
    const auto logits = moved(all, margin);
    EXPECT_TRUE(falls(logits));
    EXPECT_LT(logits.diff().abs().max().item<double>(), 1.01 * margin.m1 * pi / 4000);
  }
}

/// Properties of the definitions, not of our formulas: magface has no margin beyond 90 degrees, arcface falls at pi - m
/// from -1 to cos(pi - m) - m sin(m), and has no fallback straight through, as in arcface_torch.
TEST(Margins, JumpWhereTheirDefinitionsDo) {
  const auto at = [](double angle, const Margin& margin) {
    return moved(torch::tensor({std::cos(angle)}, torch::kFloat64), margin, 60).item<double>();
  };
  const Margin mag{.kind = "magface", .m = 0.45};
  EXPECT_TRUE(falls(moved(cosines_of_angles(0, pi / 2 - 1e-6), mag, 60)));
  EXPECT_TRUE(falls(moved(cosines_of_angles(pi / 2 + 1e-6), mag, 60)));
  EXPECT_NEAR(at(pi / 2 - 1e-9, mag), -std::sin(0.625), 1e-8);
  EXPECT_NEAR(at(pi / 2 + 1e-9, mag), 0, 1e-8);
  for (const std::string kind : {"arcface", "curricularface", "elastic-arc"}) {
    EXPECT_NEAR(at(pi - 0.5 - 1e-9, {.kind = kind}), -1, 1e-8) << kind;
    EXPECT_NEAR(at(pi - 0.5 + 1e-9, {.kind = kind}), -std::cos(0.5) - 0.5 * std::sin(0.5), 1e-8) << kind;
  }
  EXPECT_FALSE(falls(moved(cosines_of_angles(), {.kind = "arcface", .straight_through = true})));
  EXPECT_TRUE(falls(moved(cosines_of_angles(), {.kind = "curricularface", .straight_through = true})));
}

TEST(Margins, HaveTheTrueGradientOrUpstreamsOnRequest) {
  auto cosines = torch::tensor({-0.95, -0.5, 0.0, 0.5, 0.9}, torch::kFloat64).requires_grad_();
  moved(cosines, {.m = 0.5}).sum().backward();
  for (int i = 0; i < cosines.size(0); ++i) {
    const double theta = std::acos(cosines[i].item<double>());
    const double slope = theta > pi - 0.5 ? 1 : std::sin(theta + 0.5) / std::sin(theta);
    EXPECT_NEAR(cosines.grad()[i].item<double>(), slope, 1e-12);
  }
  for (const auto& kind : margin_kinds()) {
    cosines.mutable_grad().reset();
    auto margin = usual(kind);
    margin.straight_through = true;
    moved(cosines, margin).sum().backward();
    EXPECT_TRUE(cosines.grad().equal(torch::ones_like(cosines))) << kind.name;
  }
}

TEST(Margins, KeepValuesAndGradientsFiniteWhereAFaceEqualsItsCentreOrItsOpposite) {
  for (const auto& kind : margin_kinds())
    for (const auto type : {torch::kFloat32, torch::kFloat64})
      for (const double cosine : {1.0, -1.0, 1 + 2e-7, -1 - 2e-7, 1 - 1e-7, 1 - 2e-16, 1e-7 - 1})
        for (const bool straight : {false, true}) {
          const MarginFaces face{.cosines = torch::full({1}, cosine, type).requires_grad_(),
                                 .norms = torch::full({1}, 10.0, type).requires_grad_(),
                                 .draws = torch::full({1}, -1.5, type),
                                 .state = torch::tensor({kind.first_state[0], kind.first_state[1]}, type)};
          auto margin = usual(kind);
          margin.straight_through = straight;
          const auto logit = kind.move(face, margin);
          logit.sum().backward();
          const auto& of_norm = face.norms.grad();
          EXPECT_EQ(logit.scalar_type(), type) << kind.name;
          EXPECT_TRUE(logit.isfinite().all().item<bool>()) << kind.name << " at " << cosine;
          EXPECT_TRUE(face.cosines.grad().isfinite().all().item<bool>()) << kind.name << " at " << cosine;
          EXPECT_TRUE(!of_norm.defined() || of_norm.isfinite().all().item<bool>()) << kind.name;
        }
}

TEST(Margins, TakeCosinesBeyondOneForOne) {
  for (const auto& kind : margin_kinds()) {
    const auto outside = torch::tensor({1 + 3e-7, -1 - 3e-7}, torch::kFloat64);
    EXPECT_TRUE(moved(outside, usual(kind)).equal(moved(outside.clamp(-1, 1), usual(kind)))) << kind.name;
  }
}

TEST(Margins, DifferentiateByTheNormInMagfaceAlone) {
  const auto cosines = torch::tensor({0.3, 0.3, 0.3, -0.3}, torch::kFloat64);
  const double theta = std::acos(0.3);
  for (const auto& kind : margin_kinds()) {
    const MarginFaces faces{
        .cosines = cosines.clone().requires_grad_(),
        .norms = torch::tensor({5.0, 60.0, 120.0, 60.0}, torch::kFloat64).requires_grad_(),
        .draws = torch::zeros_like(cosines),
        .state = torch::tensor({20.0, 10.0}, torch::kFloat64)};
    kind.move(faces, usual(kind)).sum().backward();
    if (std::string(kind.name) != "magface") {
      EXPECT_FALSE(faces.norms.grad().defined()) << kind.name;
      EXPECT_EQ(kind.penalty, nullptr) << kind.name;
      continue;
    }
    const auto wanted = torch::tensor({0.0, -0.0035 * std::sin(theta + 0.625), 0.0, 0.0}, torch::kFloat64);
    EXPECT_LT(apart(faces.norms.grad(), wanted), 1e-12);
    faces.norms.mutable_grad().reset();
    const auto penalty = kind.penalty(faces, usual(kind));
    penalty.sum().backward();
    const auto of = [](double a) { return 35 * (a / 12100 + 1 / a); };
    EXPECT_LT(apart(penalty, torch::tensor({of(10), of(60), of(110), of(60)}, torch::kFloat64)), 1e-12);
    const double slope = 35 * (1.0 / 12100 - 1.0 / 3600);
    EXPECT_LT(apart(faces.norms.grad(), torch::tensor({0.0, slope, 0.0, slope}, torch::kFloat64)), 1e-12);
  }
}

TEST(Margins, RefuseAnUnknownKindByName) {
  try {
    margin_kind("arcfase");
    FAIL() << "took an unknown margin";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("did you mean arcface?"));
  }
}

}  // namespace
}  // namespace facemae
