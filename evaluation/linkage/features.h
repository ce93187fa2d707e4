#pragma once
// Pictures as the attackers see them. pixel_features and dct_features are declared in evaluation/linkage/linkage.h.
#include <torch/types.h>

#include <cstdint>
#include <functional>

#include "evaluation/linkage/linkage.h"

namespace facemae {

/// images [N, 3, H, W], uint8 (0..255) or float32 (-1..1) -> float32 in -1..1.
torch::Tensor as_floats(const torch::Tensor& images);

/// Applies `to_rows` to batches of images as float32 in -1..1, normalises the rows (L2) and puts them
/// together on the CPU: [N, D] float32. Throws ConfigError when the number of rows is wrong or a
/// value is not finite.
torch::Tensor features_in_batches(const torch::Tensor& images, std::int64_t batch,
                                  const std::function<torch::Tensor(const torch::Tensor&)>& to_rows);

/// Each picture as blocks of side x side pixels of one colour; sides that do not divide are resized
/// to the nearest grid.
torch::Tensor mosaic(const torch::Tensor& images, std::int64_t side);

/// The same photograph as another camera program would store it: gain 0.9..1.1 and offset +-12 of 255 per
/// picture, noise of +-8 per pixel, all from the key. uint8 in, uint8 out; float in, float out.
torch::Tensor mildly_perturbed(const torch::Tensor& images, std::uint64_t seed);

}  // namespace facemae
