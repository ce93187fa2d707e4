#pragma once
// The 10-fold verification protocol of LFW as arcface_torch runs it (docs/METHOD.md).
#include <torch/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluation/statistics/roc.h"

namespace facemae {

struct Verification {
  double accuracy = 0, accuracy_std = 0;  ///< mean and population std over the folds
  std::vector<double> folds,
      thresholds;        ///< of each fold: its accuracy, and the threshold that the others chose
  double threshold = 0;  ///< mean best squared distance
  double auc = 0, eer = 0;
  struct AtFar {
    double far, tar;
  };
  /// By exact counting over all pairs, at those of kFars at which one false accept of the set stays within the rate.
  std::vector<AtFar> tar_at_far;
  bool collapsed =
      false;  ///< all distances lie within 0.01, the step of the thresholds: nothing is told apart
};

/// What a network reached on a set.
struct Evaluated {
  std::string set;
  std::size_t pairs = 0;
  Verification figures;
  std::vector<double> distances = {};  ///< squared, of each pair
  /// Mean norm of the raw embeddings, upright and mirrored (arcface_torch's XNorm); nothing where they are not known.
  std::optional<double> xnorm = {};
  std::string failure = {};  ///< why there are no figures, "" when there are
};

/// f(image) + f(mirrored), L2-normalised rows. [n, D] each.
torch::Tensor flip_sum(const torch::Tensor& plain, const torch::Tensor& mirrored);

/// Squared distances [P] of the rows 2i and 2i+1 of embeddings [2P, D].
std::vector<double> pair_distances(const torch::Tensor& embeddings);
/// For the curve. NaN counts as infinitely far.
PairScores<double> scores_of(std::span<const double> distances, std::span<const char> same);
/// embeddings [2P, D], normalised; pair i is rows 2i, 2i+1; same[i]. `folds` contiguous folds: the
/// threshold (0..4 step 0.01, strict <, first best) comes from the others. Throws ConfigError for
/// fewer pairs than folds.
Verification verify(const torch::Tensor& embeddings, std::span<const char> same, int folds = 10);
/// The same from squared distances, also for pixel baselines.
Verification verify_distances(std::span<const double> distances, std::span<const char> same, int folds = 10);

}  // namespace facemae
