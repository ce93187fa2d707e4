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
    out.thresholds.push_back(threshold_at(best));
    out.threshold += threshold_at(best) / static_cast<double>(folds);
  }
  out.accuracy = std::accumulate(out.folds.begin(), out.folds.end(), 0.0) / static_cast<double>(folds);
  double squares = 0;
  for (const double accuracy : out.folds) squares += (accuracy - out.accuracy) * (accuracy - out.accuracy);
  out.accuracy_std = std::sqrt(squares / static_cast<double>(folds));
}

/// Do the distances tell nothing apart: are all within a step of the thresholds?
bool are_alike(std::span<const double> distances) {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const double distance : distances) {
    if (std::isnan(distance)) continue;
    least = std::min(least, distance);
    most = std::max(most, distance);
  }
  return !(most - least >= threshold_at(1));
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

PairScores<double> scores_of(std::span<const double> distances, std::span<const char> same) {
  PairScores<double> scores;
  for (std::size_t i = 0; i < distances.size(); ++i)
    (same[i] ? scores.same : scores.different)
        .push_back(std::isnan(distances[i]) ? std::numeric_limits<double>::infinity() : distances[i]);
  scores.sort();
  return scores;
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
  const PairScores<double> scores = scores_of(distances, same);
  const auto [auc, eer] = roc_areas(scores);
  out.auc = auc;
  out.eer = eer;
  for (const auto& rate : tar_at_far(scores)) out.tar_at_far.push_back({rate.far, rate.tar});
  out.collapsed = are_alike(distances);
  return out;
}

}  // namespace facemae
