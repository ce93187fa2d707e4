#pragma once
// Finds the patches of a released picture that FaceMAE saw of the photo: the decoder copies them, and invents the
// others, which it does more smoothly and more predictably.
#include <torch/types.h>

#include <cstdint>
#include <functional>

#include "model/facemae/face_mae.h"

namespace facemae {

struct KeptSearch {
  double mask_ratio = 0.75;  ///< of the release
  std::int64_t masks = 4;    ///< random ones, under which each picture is rebuilt once more
  std::int64_t batch = 64;
  std::uint64_t seed = 0;
};

/// Two clues for each patch [P, N, 2]: log energy of the Laplacian, and log error where the model has to guess the
/// patch from random others of the picture. pictures [P, 3, H, W] uint8. `advance` counts pictures.
torch::Tensor kept_clues(FaceMae& model, const torch::Tensor& pictures, const KeptSearch& search,
                         const std::function<void(std::size_t)>& advance);

/// From clues to the probability that a patch was kept: logistic in both clues, each taken relative to its mean at the
/// patch's place. Learnt from pictures that the attacker made of photos of his own, with masks that he knows.
class KeptModel {
 public:
  /// clues [P, N, 2], kept [P, N] 0 or 1. Newton's method with a small ridge.
  static KeptModel fit(const torch::Tensor& clues, const torch::Tensor& kept);
  torch::Tensor probabilities(const torch::Tensor& clues) const;  ///< [P, N]

 private:
  torch::Tensor mean_, deviation_;  ///< [N, 2], [2]
  torch::Tensor weights_;           ///< [3], the last one of the constant
};

/// Pictures as FaceMAE rebuilds them, rounded to bytes as a release is: photos [P, 3, H, W] uint8 -> uint8. mask(first,
/// count) gives the masks of a batch.
using MaskOf = std::function<Masked(std::int64_t first, std::int64_t count)>;
torch::Tensor rebuilt(FaceMae& model, const torch::Tensor& photos, const MaskOf& mask,
                      std::int64_t batch = 64);
/// Masks from keys: of picture i and draw d, whoever asks.
MaskOf drawn_masks(const FaceMae& model, double mask_ratio, std::uint64_t seed, std::uint64_t draw);

}  // namespace facemae
