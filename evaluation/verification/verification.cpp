#include "evaluation/verification/verification.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::size_t kThresholds = 400;  // 0, 0.01, ... below 4
using Counts = std::array<std::int64_t, kThresholds>;

double threshold_at(std::size_t i) { return static_cast<double>(i) * 0.01; }

/// The first threshold that accepts the distance: the smallest i with distance < threshold i, kThresholds
/// when none does.
std::size_t first_accepting(double distance) {
  if (!(distance >= 0)) return distance < 0 ? 0 : kThresholds;  // a NaN is never accepted
  auto i = static_cast<std::size_t>(std::min(distance * 100, static_cast<double>(kThresholds)));
  while (i > 0 && distance < threshold_at(i - 1)) --i;
  while (i < kThresholds && !(distance < threshold_at(i))) ++i;
  return i;
}

/// Pairs of [begin, end) that each threshold classifies right.
Counts right_at_threshold(std::span<const double> distances, std::span<const char> same, std::size_t begin,
                          std::size_t end) {
  std::array<std::int64_t, kThresholds + 1> change{};
  std::int64_t right = 0;  // at a threshold that accepts nothing
  for (std::size_t i = begin; i < end; ++i) {
    right += same[i] ? 0 : 1;
    change[first_accepting(distances[i])] += same[i] ? 1 : -1;
  }
  Counts counts{};
  for (std::size_t i = 0; i < kThresholds; ++i) counts[i] = right += change[i];
  return counts;
}

void fold_accuracies(std::span<const double> distances, std::span<const char> same, std::size_t folds,
                     Verification& out) {
  const std::size_t pairs = distances.size();
  std::vector<Counts> of_fold;
  std::vector<std::size_t> sizes;
  Counts all{};
  for (std::size_t fold = 0, begin = 0; fold < folds; ++fold) {
    sizes.push_back(pairs / folds +
                    (fold < pairs % folds ? 1 : 0));  // the first folds take what is left over
    of_fold.push_back(right_at_threshold(distances, same, begin, begin + sizes.back()));
    begin += sizes.back();
    for (std::size_t i = 0; i < kThresholds; ++i) all[i] += of_fold.back()[i];
  }
  for (std::size_t fold = 0; fold < folds; ++fold) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < kThresholds; ++i)
      if (all[i] - of_fold[fold][i] > all[best] - of_fold[fold][best]) best = i;
    out.folds.push_back(static_cast<double>(of_fold[fold][best]) / static_cast<double>(sizes[fold]));
    out.threshold += threshold_at(best) / static_cast<double>(folds);
  }
  out.accuracy = std::accumulate(out.folds.begin(), out.folds.end(), 0.0) / static_cast<double>(folds);
  double squares = 0;
  for (const double accuracy : out.folds) squares += (accuracy - out.accuracy) * (accuracy - out.accuracy);
  out.accuracy_std = std::sqrt(squares / static_cast<double>(folds));
}

/// Accepted pairs of either kind when everything up to some distance is accepted.
struct Accepted {
  std::int64_t same = 0, different = 0;
};

/// The curve's corners: nothing accepted, then after each group of equal distances.
std::vector<Accepted> accepted_curve(std::span<const double> distances, std::span<const char> same) {
  std::vector<std::size_t> order(distances.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // NaN last and equal among themselves, or the order would not be one.
  const auto key = [&](std::size_t i) {
    return std::isnan(distances[i]) ? std::numeric_limits<double>::infinity() : distances[i];
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::vector<Accepted> curve{{}};
  Accepted now;
  for (std::size_t i = 0; i < order.size(); ++i) {
    ++(same[order[i]] ? now.same : now.different);
    if (i + 1 == order.size() || key(order[i + 1]) != key(order[i])) curve.push_back(now);
  }
  return curve;
}

/// AUC by the trapezium rule, which counts ties half; EER where the straight piece of the curve meets FAR = 1
/// - TAR.
void curve_figures(const std::vector<Accepted>& curve, Verification& out) {
  const auto positives = static_cast<double>(curve.back().same),
             negatives = static_cast<double>(curve.back().different);
  constexpr std::array<double, 3> fars = {1e-1, 1e-2, 1e-3};
  if (positives == 0 || negatives == 0) {
    out.auc = out.eer = std::numeric_limits<double>::quiet_NaN();
    for (const double far : fars) out.tar_at_far.push_back({far, std::numeric_limits<double>::quiet_NaN()});
    return;
  }
  bool met = false;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    const double tar0 = static_cast<double>(curve[i - 1].same) / positives;
    const double tar1 = static_cast<double>(curve[i].same) / positives;
    const double far0 = static_cast<double>(curve[i - 1].different) / negatives;
    const double far1 = static_cast<double>(curve[i].different) / negatives;
    out.auc += (far1 - far0) * (tar0 + tar1) / 2;
    if (!met && far1 + tar1 >= 1) {
      const double step = (1 - far0 - tar0) / (far1 - far0 + tar1 - tar0);
      out.eer = far0 + step * (far1 - far0);
      met = true;
    }
  }
  for (const double far : fars) {
    // The furthest corner whose false accepts stay within far; a hair of room for far * negatives in binary.
    const double allowed = far * negatives * (1 + 1e-12);
    std::int64_t accepted = 0;
    for (const auto& corner : curve)
      if (static_cast<double>(corner.different) <= allowed) accepted = corner.same;
    out.tar_at_far.push_back({far, static_cast<double>(accepted) / positives});
  }
}

}  // namespace

torch::Tensor flip_sum(const torch::Tensor& plain, const torch::Tensor& mirrored) {
  const auto sum = plain.detach().to(torch::kFloat64) + mirrored.detach().to(torch::kFloat64);
  return (sum / sum.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12)).to(plain.scalar_type());
}

std::vector<double> pair_distances(const torch::Tensor& embeddings) {
  const auto pairs = embeddings.detach().to(torch::kCPU, torch::kFloat64).view({-1, 2, embeddings.size(1)});
  const auto distances = (pairs.select(1, 0) - pairs.select(1, 1)).square().sum(1).contiguous();
  return {distances.data_ptr<double>(), distances.data_ptr<double>() + distances.numel()};
}

Verification verify(const torch::Tensor& embeddings, std::span<const char> same, int folds) {
  if (embeddings.dim() != 2 || embeddings.size(0) != 2 * static_cast<std::int64_t>(same.size()))
    throw ConfigError(fmt::format("verifying: {} pairs need two embeddings each, but there are {}",
                                  same.size(), embeddings.dim() == 2 ? embeddings.size(0) : 0));
  return verify_distances(pair_distances(embeddings), same, folds);
}

Verification verify_distances(std::span<const double> distances, std::span<const char> same, int folds) {
  if (distances.size() != same.size())
    throw ConfigError(fmt::format("verifying: {} distances for {} pairs", distances.size(), same.size()));
  if (folds < 2 || distances.size() < static_cast<std::size_t>(folds))
    throw ConfigError(
        fmt::format("verifying {} pairs in {} folds: each fold needs a pair, and there must be two folds; "
                    "give more pairs or fewer folds",
                    distances.size(), folds));
  Verification out;
  fold_accuracies(distances, same, static_cast<std::size_t>(folds), out);
  curve_figures(accepted_curve(distances, same), out);
  return out;
}

}  // namespace facemae
