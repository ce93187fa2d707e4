#pragma once
// Linkage attacks: can a rebuilt face be matched to the real faces? Every figure comes with chance, a
// real-to-real ceiling and a 95 % interval by person (evaluation/statistics/intervals.h).
// docs/METHOD.md, "Audit".
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/statistics/figure.h"

namespace facemae {

/// Probe i belongs to real image `mate[i]` (its original, row of the gallery) and
/// to identity probe_identity[i].
struct LinkageInput {
  torch::Tensor probes, gallery;  ///< [P, D], [N, D] float32, rows L2-normalised
  std::vector<std::int64_t> mate, probe_identity, gallery_identity;
  /// For each image of the gallery, the first one that shows the same picture (equal_pictures); empty: all
  /// differ. Whoever finds a copy of the original has found the original.
  std::vector<std::int64_t> gallery_picture;
};

struct Retrieval {
  Figure rank1, rank5, rank10;
  double median_rank = 0, mean_average_precision = 0;
  double chance_rank1 = 0;
  std::int64_t probes =
      0;  ///< counted ones: a person with a single image has no other; with 0, figures are NaN
  std::int64_t people = 0;  ///< that the counted probes show: what the intervals rest on
};
struct LinkageResult {
  std::string attacker;     ///< "pixel 28x28", "embedder NAME", ...
  std::string knowledge;    ///< what the attacker needs, one sentence
  Retrieval same_image;     ///< rebuilt image -> its own original among N
  Retrieval same_identity;  ///< rebuilt image -> another image of the person; its original is taken out
  struct AtFar {
    double far = 0;
    Figure tar;  ///< its interval includes the error of the threshold (evaluation/statistics/two_way.h)
    double threshold = 0;  ///< cosine similarity, resolution 8e-6
  };
  std::vector<AtFar> verification;  ///< FAR 1e-2, 1e-3, 1e-4 (those with 30 false accepts or more)
  /// 64 bins of cosine similarity from -1 to 1, each summing to 1 (or all 0 without pairs): a probe with its
  /// own original, with other images of the person, with other people.
  std::vector<double> own_histogram, mated_histogram, other_histogram;
};

/// An attack beside its real-to-real ceiling (the same attacker, probes real: another image of the person).
struct AttackReport {
  LinkageResult released, ceiling;
  std::string control;  ///< empty for the attack itself; else what stood in for the release ("mosaic 8")
};

/// Exact nearest neighbours by blocked matrix products; memory O(block * N).
LinkageResult measure_linkage(const LinkageInput& input);

/// Pixel features: grey or colour, average-pooled to side x side, mean and norm removed. images [B, C, H, W],
/// uint8 0..255 or float32 -1..1.
torch::Tensor pixel_features(const torch::Tensor& images, std::int64_t side);
/// The lowest k x k DCT-II coefficients (without the mean) of the grey image, normalised.
torch::Tensor dct_features(const torch::Tensor& images, std::int64_t k);

/// For each picture, the first one with the same pixels: [N, ...] -> N row numbers.
std::vector<std::int64_t> equal_pictures(const torch::Tensor& pictures);

}  // namespace facemae
