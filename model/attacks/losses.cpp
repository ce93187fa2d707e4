#include "model/attacks/losses.h"

#include <torch/torch.h>

#include <limits>
#include <numeric>

#include "cluster/tensors/collectives.h"
#include "model/common/precision.h"

namespace facemae {
namespace {

constexpr double kLengthWeight = 10, kTripletWeight = 10, kTripletMargin = 0.3;
constexpr std::int64_t kWindow = 11;
constexpr double kSigma = 1.5, kRange = 2;

/// [n, N]: is the photo `name` right for the released picture? Pairs (i, first + i) are not in question.
torch::Tensor also_right(const torch::Tensor& right, const torch::Tensor& name, std::int64_t first,
                         bool own_names) {
  auto same = (right.unsqueeze(1) == name.unsqueeze(0).unsqueeze(2)).any(2);
  if (own_names) same = same.t();
  same.diagonal(first).fill_(false);
  return same;
}

/// The sum over own rows of -log p(own mate), and how many mates are the likeliest.
std::pair<torch::Tensor, torch::Tensor> choose(const torch::Tensor& own, const torch::Tensor& all,
                                               const torch::Tensor& left_out, std::int64_t first,
                                               double temperature) {
  const auto scores =
      torch::mm(own, all.t()).div(temperature).masked_fill(left_out, -std::numeric_limits<float>::infinity());
  const auto mates = torch::arange(first, first + own.size(0), left_out.options().dtype(torch::kInt64));
  return {torch::nll_loss(torch::log_softmax(scores, 1), mates, {}, at::Reduction::Sum),
          (scores.argmax(1) == mates).sum().to(torch::kFloat32)};
}

torch::Tensor distance(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).square().sum(1).add(1e-12).sqrt();
}

torch::Tensor gaussian_window(const torch::TensorOptions& options) {
  const auto at = torch::arange(kWindow, options) - static_cast<double>(kWindow / 2);
  const auto weights = (-at.square() / (2 * kSigma * kSigma)).exp();
  return weights / weights.sum();
}

}  // namespace

ContrastShare contrast_share(const torch::Tensor& released, const torch::Tensor& photos,
                             const torch::Tensor& right, const torch::Tensor& name, double temperature,
                             Communicator& ranks, std::span<const std::int64_t> rows_of_rank) {
  const FullPrecision scope(released.device().type());
  const auto total =
      static_cast<double>(std::accumulate(rows_of_rank.begin(), rows_of_rank.end(), std::int64_t{0}));
  const auto first =
      std::accumulate(rows_of_rank.begin(), rows_of_rank.begin() + ranks.rank(), std::int64_t{0});
  const auto all_released = gather_rows(released, ranks, rows_of_rank),
             all_photos = gather_rows(photos, ranks, rows_of_rank);
  const auto all_right = gather_rows(right, ranks, rows_of_rank),
             all_names = gather_rows(name, ranks, rows_of_rank);
  const auto [to_photo, found] =
      choose(released, all_photos, also_right(right, all_names, first, false), first, temperature);
  const auto [to_released, unused] =
      choose(photos, all_released, also_right(all_right, name, first, true), first, temperature);
  return {(to_photo + to_released) / (2 * total), found / total};
}

torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& target,
                                const torch::Tensor& other) {
  const auto away = 1 - (student * target).sum(1);
  const auto lengths = (student - target).abs().mean(1);
  const auto triplet = (distance(student, target) - distance(student, other) + kTripletMargin).clamp_min(0);
  return (away + kLengthWeight * lengths + kTripletWeight * triplet).sum();
}

torch::Tensor structural_similarity(const torch::Tensor& a, const torch::Tensor& b) {
  const auto channels = a.size(1);
  const auto window = gaussian_window(a.options());
  const auto across = window.view({1, 1, 1, kWindow}).expand({5 * channels, 1, 1, kWindow}),
             down = window.view({1, 1, kWindow, 1}).expand({5 * channels, 1, kWindow, 1});
  auto means = torch::cat({a, b, a * a, b * b, a * b}, 1);
  const auto each = torch::nn::functional::Conv2dFuncOptions().groups(5 * channels);
  means = torch::nn::functional::conv2d(torch::nn::functional::conv2d(means, across, each), down, each);
  const auto of = means.chunk(5, 1);
  const double c1 = (0.01 * kRange) * (0.01 * kRange), c2 = (0.03 * kRange) * (0.03 * kRange);
  const auto ab = of[0] * of[1], aa = of[0].square(), bb = of[1].square();
  const auto similar =
      (2 * ab + c1) * (2 * (of[4] - ab) + c2) / ((aa + bb + c1) * (of[2] - aa + of[3] - bb + c2));
  return similar.mean({1, 2, 3});
}

torch::Tensor inversion_loss(const torch::Tensor& inverted, const torch::Tensor& photos) {
  return ((inverted - photos).abs().mean({1, 2, 3}) + 1 - structural_similarity(inverted, photos)).sum();
}

}  // namespace facemae
