#include "model/facemae/losses.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

/// Two images of two patches of two values; the first image hides patch 1, the second patch 0.
struct Small {
  torch::Tensor predicted =
      torch::tensor({1.0, 2.0, 3.0, 4.0, 0.0, -1.0, 5.0, 5.0}, torch::kFloat32).reshape({2, 2, 2});
  torch::Tensor target =
      torch::tensor({0.0, 0.0, 3.0, 2.0, 2.0, 1.0, 4.0, 4.0}, torch::kFloat32).reshape({2, 2, 2});
  Masked mask{.kept = torch::tensor({{0}, {1}}, torch::kInt64),
              .restore = torch::tensor({{0, 1}, {1, 0}}, torch::kInt64),
              .hidden = torch::tensor({{0.0F, 1.0F}, {1.0F, 0.0F}})};
};

TEST(Reconstruction, CountsPatchesAsAPureFunction) {
  EXPECT_EQ(reconstruction_count(Reconstruction::All, 10, 49, 0.75), 490);
  EXPECT_EQ(reconstruction_count(Reconstruction::Hidden, 10, 49, 0.75), 370);
  EXPECT_EQ(reconstruction_count(Reconstruction::None, 10, 49, 0.75), 0);
}

TEST(Reconstruction, IsTheMeanSquareOverTheChosenPatches) {
  const Small s;
  // patch errors by hand: (1 + 4) / 2, (0 + 4) / 2, (4 + 4) / 2, (1 + 1) / 2
  const auto all = reconstruction_share(s.predicted, s.target, s.mask, Reconstruction::All, 4);
  EXPECT_FLOAT_EQ(all.item<float>(), (2.5F + 2.0F + 4.0F + 1.0F) / 4);
  const auto hidden = reconstruction_share(s.predicted, s.target, s.mask, Reconstruction::Hidden, 2);
  EXPECT_FLOAT_EQ(hidden.item<float>(), (2.0F + 4.0F) / 2);
}

TEST(LowPass, SeesTheMeansOfFourByFourPixelsAndNothingFiner) {
  auto target = torch::zeros({2, 3, 8, 4}), predicted = torch::zeros({2, 3, 8, 4});
  predicted[0][1].narrow(0, 4, 4).fill_(3);  // a block is off by 3
  predicted[1][2].narrow(0, 0, 4) =
      torch::tensor({1, -1, 2, -2}).to(torch::kFloat32).expand({4, 4});  // mean 0
  predicted.requires_grad_();
  const auto loss = low_pass_share(predicted, target, 4);  // of 4 pictures over all ranks, 6 blocks each
  EXPECT_FLOAT_EQ(loss.item<float>(), 9.0F / 6 / 4);
  loss.backward();
  EXPECT_EQ(predicted.grad()[1].abs().max().item<float>(), 0);
  EXPECT_FLOAT_EQ(predicted.grad()[0][1][5][2].item<float>(), 2 * 3.0F / 16 / 6 / 4);
}

TEST(Reconstruction, SharesOfPartsSumToTheWhole) {
  const Small s;
  const auto part = [&](std::int64_t row) {
    const Masked mask{.kept = s.mask.kept.narrow(0, row, 1),
                      .restore = s.mask.restore.narrow(0, row, 1),
                      .hidden = s.mask.hidden.narrow(0, row, 1)};
    return reconstruction_share(s.predicted.narrow(0, row, 1), s.target.narrow(0, row, 1), mask,
                                Reconstruction::Hidden, 2)
        .item<float>();
  };
  const auto whole =
      reconstruction_share(s.predicted, s.target, s.mask, Reconstruction::Hidden, 2).item<float>();
  EXPECT_FLOAT_EQ(part(0) + part(1), whole);
}

TEST(Reconstruction, GivesNoGradientToVisiblePatchesWhenHiddenOnesCount) {
  Small s;
  s.predicted.requires_grad_();
  reconstruction_share(s.predicted, s.target, s.mask, Reconstruction::Hidden, 2).backward();
  const auto gradient = s.predicted.grad();
  EXPECT_EQ(gradient[0][0].abs().sum().item<float>(), 0);
  EXPECT_FLOAT_EQ(gradient[0][1][1].item<float>(), 2 * (4 - 2) / 2.0F / 2.0F);
}

TEST(Reconstruction, ComputesInFloat32UnderAutocast) {
  const auto predicted = torch::full({1, 4, 8}, 1.0F / 3), target = torch::zeros({1, 4, 8});
  const Masked mask{.kept = {}, .restore = {}, .hidden = torch::ones({1, 4})};
  const auto rounded = predicted.to(torch::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto share = reconstruction_share(predicted, target, mask, Reconstruction::Hidden, 4);
  const auto low = reconstruction_share(rounded, target, mask, Reconstruction::Hidden, 4);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_FLOAT_EQ(share.item<float>(), 1.0F / 9);
  EXPECT_EQ(low.scalar_type(), torch::kFloat32);
}

TEST(Reconstruction, NoneIsAZeroWithoutGradient) {
  Small s;
  s.predicted.requires_grad_();
  const auto zero = reconstruction_share(s.predicted, s.target, s.mask, Reconstruction::None, 0);
  EXPECT_EQ(zero.item<float>(), 0);
  EXPECT_FALSE(zero.requires_grad());
}

TEST(Reconstruction, RefusesALossOverNoPatchAndUnknownNames) {
  const Small s;
  EXPECT_THROW(reconstruction_share(s.predicted, s.target, s.mask, Reconstruction::Hidden, 0), ConfigError);
  EXPECT_EQ(reconstruction_from("all"), Reconstruction::All);
  EXPECT_EQ(reconstruction_from("hidden"), Reconstruction::Hidden);
  EXPECT_EQ(reconstruction_from("none"), Reconstruction::None);
  try {
    reconstruction_from("hiden");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("hidden"));
  }
}

TEST(NormalisePatches, UsesTheUnbiasedVariance) {
  const auto patches = torch::tensor({1.0F, 2.0F, 6.0F, 4.0F, 4.0F, 4.0F}).reshape({1, 2, 3});
  const auto normal = normalise_patches(patches);
  const double deviation = std::sqrt((4.0 + 1.0 + 9.0) / 2 + 1e-6);
  EXPECT_NEAR(normal[0][0][0].item<float>(), -2 / deviation, 1e-6);
  EXPECT_NEAR(normal[0][0][2].item<float>(), 3 / deviation, 1e-6);
  EXPECT_EQ(normal[0][1].abs().sum().item<float>(), 0) << "a flat patch must not become noise";
}

TEST(ClampStraightThrough, ClampsValuesButNotGradients) {
  const auto x = torch::tensor({-3.0F, 0.25F, 3.0F}).requires_grad_();
  const auto y = clamp_straight_through(x, -1, 1);
  EXPECT_TRUE(torch::equal(y.detach(), torch::tensor({-1.0F, 0.25F, 1.0F})));
  (y * torch::tensor({2.0F, 3.0F, 5.0F})).sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), torch::tensor({2.0F, 3.0F, 5.0F})));
}

}  // namespace
}  // namespace facemae
