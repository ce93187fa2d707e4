#include "model/attacks/losses.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "model/attacks/tower.h"
#include "model/attacks/unet.h"
#include "model/common/unit_rows.h"

namespace facemae {
namespace {

torch::Tensor names(std::vector<std::int64_t> values) { return torch::tensor(values, torch::kInt64); }

double contrast(const torch::Tensor& released, const torch::Tensor& photos, const torch::Tensor& right,
                const torch::Tensor& name) {
  AloneCommunicator alone;
  const std::vector<std::int64_t> rows{released.size(0)};
  return contrast_share(released, photos, right, name, 0.5, alone, rows).loss.item<double>();
}

TEST(Contrast, IsTheMeanCrossEntropyOfBothDirections) {
  torch::manual_seed(1);
  const auto released = unit_rows(torch::randn({4, 6})), photos = unit_rows(torch::randn({4, 6}));
  double wanted = 0;
  for (std::int64_t i = 0; i < 4; ++i)
    for (const bool forward : {true, false}) {
      double all = 0;
      for (std::int64_t j = 0; j < 4; ++j)
        all += std::exp((forward ? released[i].dot(photos[j]) : released[j].dot(photos[i])).item<double>() /
                        0.5);
      wanted += std::log(all) - released[i].dot(photos[i]).item<double>() / 0.5;
    }
  EXPECT_NEAR(contrast(released, photos, names({0, 1, 2, 3}).unsqueeze(1), names({0, 1, 2, 3})), wanted / 8,
              1e-5);
}

TEST(Contrast, DoesNotPushAwayWhatIsRightAsWell) {
  torch::manual_seed(2);
  const auto released = unit_rows(torch::randn({3, 6})), photos = unit_rows(torch::randn({3, 6}));
  // The second photo is of a person of the first picture's class, too, and the second picture is of the first photo's.
  const auto right = torch::tensor({{0, 1}, {0, 1}, {2, -1}}, torch::kInt64);
  double wanted = 0;
  const std::vector<std::vector<std::int64_t>> competing{{0, 2}, {1, 2}, {0, 1, 2}};
  for (std::int64_t i = 0; i < 3; ++i)
    for (const bool forward : {true, false}) {
      double all = 0;
      for (const auto j : competing[static_cast<std::size_t>(i)])
        all += std::exp((forward ? released[i].dot(photos[j]) : released[j].dot(photos[i])).item<double>() /
                        0.5);
      wanted += std::log(all) - released[i].dot(photos[i]).item<double>() / 0.5;
    }
  EXPECT_NEAR(contrast(released, photos, right, names({0, 1, 2})), wanted / 6, 1e-5);
}

TEST(Distillation, IsSmallestAtTheTarget) {
  torch::manual_seed(3);
  const auto target = unit_rows(torch::randn({5, 16})), other = unit_rows(torch::randn({5, 16}));
  EXPECT_NEAR(distillation_loss(target, target, -target).item<double>(), 0, 1e-4);
  const auto student = unit_rows(target + 0.5 * torch::randn({5, 16}));
  double wanted = 0;
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto s = student[i], t = target[i], o = other[i];
    wanted += 1 - s.dot(t).item<double>() + 10 * (s - t).abs().mean().item<double>() +
              10 * std::max(0.0, (s - t).norm().item<double>() - (s - o).norm().item<double>() + 0.3);
  }
  EXPECT_NEAR(distillation_loss(student, target, other).item<double>(), wanted, 1e-3);
}

/// By its definition, at the one place where the window fits a picture of 11 x 11.
double similarity_at_one_place(const torch::Tensor& a, const torch::Tensor& b) {
  double sum = 0, ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
  for (int y = 0; y < 11; ++y)
    for (int x = 0; x < 11; ++x) {
      const double w = std::exp(-((y - 5) * (y - 5) + (x - 5) * (x - 5)) / (2 * 1.5 * 1.5));
      const double p = a[y][x].item<double>(), q = b[y][x].item<double>();
      sum += w;
      ma += w * p;
      mb += w * q;
      aa += w * p * p;
      bb += w * q * q;
      ab += w * p * q;
    }
  ma /= sum;
  mb /= sum;
  const double va = aa / sum - ma * ma, vb = bb / sum - mb * mb, vab = ab / sum - ma * mb;
  const double c1 = 0.02 * 0.02, c2 = 0.06 * 0.06;
  return (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

TEST(StructuralSimilarity, IsThatOfWang) {
  torch::manual_seed(4);
  const auto a = torch::rand({2, 1, 11, 11}) * 2 - 1, b = torch::rand({2, 1, 11, 11}) * 2 - 1;
  const auto similar = structural_similarity(a, (a + b) / 2);
  for (std::int64_t i = 0; i < 2; ++i)
    EXPECT_NEAR(similar[i].item<double>(), similarity_at_one_place(a[i][0], (a[i][0] + b[i][0]) / 2), 1e-4);
  const auto large = torch::rand({1, 3, 20, 14});
  EXPECT_NEAR(structural_similarity(large, large).item<double>(), 1, 1e-5);
  EXPECT_NEAR(inversion_loss(large, large).item<double>(), 0, 1e-5);
}

TEST(AttackNetworks, AreDrawnFromTheSeedAloneAndKeepTheirShapes) {
  Tower one({.side = 28, .width = 4, .features = 10}), two({.side = 28, .width = 4, .features = 10});
  one.initialise(7);
  torch::manual_seed(9);
  two.initialise(7);
  const auto images = torch::rand({3, 3, 56, 56});
  const auto rows = one.forward(images);
  EXPECT_TRUE(rows.equal(two.forward(images)));
  EXPECT_EQ(rows.sizes(), (std::vector<std::int64_t>{3, 10}));
  EXPECT_NEAR(rows[1].norm().item<double>(), 1, 1e-5);
  two.initialise(8);
  EXPECT_FALSE(rows.equal(two.forward(images)));

  UNet net(28, 4);
  net.initialise(1);
  EXPECT_EQ(net.forward(torch::rand({2, 3, 28, 28})).sizes(), (std::vector<std::int64_t>{2, 3, 28, 28}));
  EXPECT_EQ(UNet(14, 4).forward(torch::rand({1, 3, 14, 14})).sizes(),
            (std::vector<std::int64_t>{1, 3, 14, 14}));
  EXPECT_THROW(UNet(27, 4), ConfigError);
  EXPECT_THROW(Tower({.side = 8}), ConfigError);
}

}  // namespace
}  // namespace facemae
