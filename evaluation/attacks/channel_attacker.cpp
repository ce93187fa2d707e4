#include "evaluation/attacks/channel_attacker.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/linkage/features.h"

namespace facemae {
namespace {

constexpr std::int64_t kSide = 14, kFewestPairs = 8;
constexpr double kRidge = 1e-3, kShrinkage = 0.1;

torch::Tensor small_pictures(const torch::Tensor& pictures) {
  return pixel_features(pictures, kSide).to(torch::kFloat64);
}

/// [D, k] of centred rows.
torch::Tensor principal_axes(const torch::Tensor& rows, std::int64_t k) {
  const auto covariance = torch::matmul(rows.t(), rows) / static_cast<double>(rows.size(0));
  return std::get<1>(torch::linalg_eigh(covariance)).slice(1, rows.size(1) - k);  // the largest come last
}

torch::Tensor with_diagonal(const torch::Tensor& square, double share) {
  const auto k = square.size(0);
  const double mean = square.trace().item<double>() / static_cast<double>(k);
  return square + std::max(share * mean, 1e-12) * torch::eye(k, square.options());
}

torch::Tensor squares(const torch::Tensor& rows) { return rows.square().sum(1, true); }

/// A column that brings every row to the squared norm `most`.
torch::Tensor filling(const torch::Tensor& rows, double most) {
  return (most - squares(rows)).clamp_min(0).sqrt();
}

}  // namespace

Lifted lift_distances(const torch::Tensor& u, const torch::Tensor& v) {
  const auto from_mean = [](const torch::Tensor& norms) { return norms - norms.mean(); };
  const auto of_u = from_mean(squares(u)), of_v = from_mean(squares(v));
  const double spread = std::max({of_u.abs().max().item<double>(), of_v.abs().max().item<double>(), 1e-12});
  const double c = std::sqrt(spread / 2);
  const auto probes = torch::cat({u, of_u / (-2 * c), torch::full_like(of_u, -c)}, 1);
  const auto gallery = torch::cat({v, torch::full_like(of_v, c), of_v / (2 * c)}, 1);
  const double most_u = squares(probes).max().item<double>(), most_v = squares(gallery).max().item<double>();
  const auto unit = [](const torch::Tensor& rows) {
    return (rows / rows.norm(2, 1, true).clamp_min(1e-12)).to(torch::kFloat32);
  };
  return {unit(torch::cat({probes, filling(probes, most_u), torch::zeros_like(of_u)}, 1)),
          unit(torch::cat({gallery, torch::zeros_like(of_v), filling(gallery, most_v)}, 1))};
}

AttackerFacts ChannelAttacker::facts() const {
  return {.id = "A1",
          .name = fmt::format("closed-form channel, colour {0}x{0}", kSide),
          .knows = "The real pictures, and pairs of released picture and photo of people of its own.",
          .controls = "Copies of real photos in the release.",
          .cost = "Seconds: two decompositions of small matrices."};
}

void ChannelAttacker::fit(const Lesson& lesson) {
  const torch::NoGradGuard no_gradients;
  std::vector<std::int64_t> pictures, photos;
  for (std::size_t i = 0; i < lesson.links.photos_of_picture.size(); ++i) {
    for (const std::int64_t photo : lesson.links.photos_of_picture[i]) {
      pictures.push_back(static_cast<std::int64_t>(i));
      photos.push_back(photo);
    }
  }
  const auto pairs = static_cast<std::int64_t>(pictures.size());
  if (pairs < kFewestPairs)
    throw ConfigError(fmt::format(
        "the closed-form channel was to learn from {} pairs: it needs at least {}, of people who are not attacked "
        "(--attacker-store, --attacker-released, --attacker-link)",
        pairs, kFewestPairs));
  const auto released = small_pictures(lesson.released.pictures), real = small_pictures(lesson.real.photos);
  const std::int64_t k = std::clamp<std::int64_t>(pairs / 4, 1, std::min(most_, released.size(1) - 1));
  released_mean_ = released.mean(0);
  real_mean_ = real.mean(0);
  const auto from = principal_axes(real - real_mean_, k), to = principal_axes(released - released_mean_, k);
  const auto b = torch::matmul(real - real_mean_, from).index_select(0, torch::tensor(photos));
  const auto a = torch::matmul(released - released_mean_, to).index_select(0, torch::tensor(pictures));
  const auto w =
      torch::linalg_solve(with_diagonal(torch::matmul(b.t(), b), kRidge), torch::matmul(b.t(), a), true);
  auto noise = a - torch::matmul(b, w);
  noise -= noise.mean(0);
  const auto covariance = torch::matmul(noise.t(), noise) / static_cast<double>(pairs);
  // C = G G', so rows times G^-T have white noise.
  const auto root = torch::linalg_cholesky(with_diagonal(covariance, kShrinkage));
  const auto whiten = torch::linalg_solve_triangular(root.t(), torch::eye(k, root.options()), /*upper=*/true,
                                                     /*left=*/true, /*unitriangular=*/false);
  released_map_ = torch::matmul(to, whiten);
  real_map_ = torch::matmul(torch::matmul(from, w), whiten);
}

Evidence ChannelAttacker::look(const ReleasedFaces& released, const RealFaces& real) {
  if (!real_map_.defined()) throw ConfigError("the closed-form channel was asked before it had learnt");
  const torch::NoGradGuard no_gradients;
  const auto u = torch::matmul(small_pictures(released.pictures) - released_mean_, released_map_);
  const auto v = torch::matmul(small_pictures(real.photos) - real_mean_, real_map_);
  Lifted lifted = lift_distances(u, v);
  return {.released = std::move(lifted.u), .real = std::move(lifted.v)};
}

}  // namespace facemae
