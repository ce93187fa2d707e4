// The linkage loss against its definition in plain loops and double precision.
#include "model/facemae/linkage.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "cluster/tensors/alone.h"
#include "core/error.h"

namespace facemae {
namespace {

constexpr double kKept = 0.25;

torch::Tensor pictures(std::int64_t count, std::int64_t seed) {
  torch::manual_seed(seed);
  return torch::rand({count, 3, 28, 28}, torch::kFloat64) * 2 - 1;
}

struct Features {
  torch::Tensor rows;
  std::vector<std::int64_t> widths;
};
Features features_of(const torch::Tensor& images, const std::vector<LinkageKind>& attackers) {
  std::vector<torch::Tensor> all;
  Features features;
  for (const auto& attacker : attackers) {
    all.push_back(attacker.features(images));
    features.widths.push_back(all.back().size(1));
  }
  features.rows = torch::cat(all, 1);
  return features;
}

/// The colour of a pixel of a picture pooled to `grid`.
double pooled(const torch::Tensor& image, std::int64_t grid, std::int64_t channel, std::int64_t y,
              std::int64_t x) {
  const std::int64_t side = 28 / grid;
  double sum = 0;
  for (std::int64_t j = 0; j < side; ++j)
    for (std::int64_t i = 0; i < side; ++i) sum += image[channel][y * side + j][x * side + i].item<double>();
  return sum / static_cast<double>(side * side);
}

double pixel_score(const torch::Tensor& z, const torch::Tensor& x) {
  std::vector<double> a, b;
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t y = 0; y < 14; ++y)
      for (std::int64_t k = 0; k < 14; ++k) {
        a.push_back(pooled(z, 14, c, y, k));
        b.push_back(pooled(x, 14, c, y, k));
      }
  double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    mean_a += a[i] / static_cast<double>(a.size());
    mean_b += b[i] / static_cast<double>(b.size());
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb) / 0.07;
}

/// K of one cell of 4 x 4.
double alike(const torch::Tensor& z, const torch::Tensor& x, std::int64_t row, std::int64_t column) {
  double apart = 0;
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t j = 0; j < 4; ++j)
      for (std::int64_t i = 0; i < 4; ++i)
        apart += std::pow(
            (z[c][4 * row + j][4 * column + i] - x[c][4 * row + j][4 * column + i]).item<double>(), 2);
  return std::exp(-apart / 48 / (2 * 0.02));
}

std::vector<double> patch_scores(const torch::Tensor& z, const torch::Tensor& real) {
  std::vector<double> scores(static_cast<std::size_t>(real.size(0)), 0);
  for (std::int64_t row = 0; row < 7; ++row)
    for (std::int64_t column = 0; column < 7; ++column) {
      std::vector<double> k;
      double mean = 0;
      for (std::int64_t j = 0; j < real.size(0); ++j) {
        k.push_back(alike(z, real[j], row, column));
        mean += k.back() / static_cast<double>(real.size(0));
      }
      for (std::size_t j = 0; j < k.size(); ++j) scores[j] += std::log(1 - kKept + kKept * k[j] / mean);
    }
  return scores;
}

double gain(const std::vector<double>& scores, std::size_t right) {
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - scores[right]);
  return std::max(0.0, -std::log(sum) + std::log(static_cast<double>(scores.size())));
}

TEST(Linkage, IsThatOfItsDefinition) {
  torch::set_num_threads(1);
  const auto real = pictures(3, 1);
  const auto rebuilt = (real + 0.4 * pictures(3, 2)).clamp(-1, 1);
  double wanted = 0;
  for (std::int64_t i = 0; i < 3; ++i) {
    std::vector<double> by_pixel;
    for (std::int64_t j = 0; j < 3; ++j) by_pixel.push_back(pixel_score(rebuilt[i], real[j]));
    const auto at = static_cast<std::size_t>(i);
    wanted += std::max(gain(by_pixel, at), gain(patch_scores(rebuilt[i], real), at)) / 3;
  }
  AloneCommunicator alone;
  const auto attackers = linkage_from("");
  const auto z = features_of(rebuilt, attackers), x = features_of(real, attackers);
  const std::vector<std::int64_t> rows{3};
  const auto found = linkage_share(z.rows, x.rows, attackers, z.widths, kKept, alone, rows);
  EXPECT_NEAR(found.share.item<double>(), wanted, 1e-9);
  EXPECT_GT(wanted, 0.1);
  EXPECT_EQ(found.hits[0].item<double>(), 3);
}

TEST(Linkage, IsNothingWhereNobodyDoesBetterThanToGuess) {
  AloneCommunicator alone;
  const std::vector<std::int64_t> rows{4};
  for (const auto& attacker : linkage_kinds()) {
    const std::vector<LinkageKind> one{attacker};
    const auto x = features_of(pictures(4, 3), one);
    const auto found = linkage_share(torch::roll(x.rows, 1, 0),  // each like another face's original
                                     x.rows, one, x.widths, kKept, alone, rows);
    EXPECT_EQ(found.share.item<double>(), 0) << attacker.name;
    EXPECT_EQ(found.hits.item<double>(), 0) << attacker.name;
    const auto one_face = x.rows.narrow(0, 0, 1).expand_as(x.rows);
    const auto alike = linkage_share(one_face, one_face, one, x.widths, kKept, alone, rows);
    EXPECT_NEAR(alike.share.item<double>(), 0, 1e-9) << attacker.name;
    EXPECT_EQ(alike.hits.item<double>(), 0) << "ties are missed";
  }
}

TEST(Linkage, HasTheGradientOfFiniteDifferences) {
  AloneCommunicator alone;
  const std::vector<std::int64_t> rows{3};
  const auto real = pictures(1, 5) + 0.1 * pictures(3, 8);  // alike, so that nobody is sure
  const auto start = real + 0.1 * pictures(3, 6);
  for (const auto& attacker : linkage_kinds()) {
    const std::vector<LinkageKind> one{attacker};
    const auto x = features_of(real, one);
    const auto value = [&](const torch::Tensor& images) {
      return linkage_share(features_of(images, one).rows, x.rows, one, x.widths, kKept, alone, rows).share;
    };
    auto images = start.clone().requires_grad_(true);
    const auto gradient = torch::autograd::grad({value(images)}, {images}).front();
    torch::manual_seed(7);
    for (int direction = 0; direction < 4; ++direction) {
      const auto along = torch::randn_like(start);
      constexpr double step = 1e-5;
      const double slope =
          (value(start + step * along) - value(start - step * along)).item<double>() / (2 * step);
      EXPECT_NEAR((gradient * along).sum().item<double>(), slope, 1e-6 * (1 + std::abs(slope)))
          << attacker.name;
      EXPECT_GT(std::abs(slope), 1e-6) << attacker.name;
    }
  }
}

TEST(Linkage, KnowsItsAttackersByName) {
  EXPECT_EQ(linkage_from("").size(), linkage_kinds().size());
  EXPECT_EQ(linkage_from("patch").front().name, std::string("patch"));
  EXPECT_EQ(linkage_from("patch,pixel").size(), 2U);
  EXPECT_THROW(linkage_from("pixels"), ConfigError);
  EXPECT_THROW(linkage_from("learned"), ConfigError);
}

}  // namespace
}  // namespace facemae
