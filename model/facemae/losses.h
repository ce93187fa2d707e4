#pragma once
// Computes the pixel loss, as this rank's share of one global scalar.
#include <torch/types.h>

#include <span>
#include <string>

#include "core/kinds.h"
#include "model/common/masking.h"

namespace facemae {

enum class Reconstruction { All, Hidden, None };
std::span<const Named<Reconstruction>> reconstruction_kinds();
Reconstruction reconstruction_from(const std::string& name);  ///< throws ConfigError with the nearest name

/// How many patches of `images` images are in the loss: the denominator, a pure function.
double reconstruction_count(Reconstruction which, std::int64_t images, std::int64_t patches, double ratio);

/// Sum, over own patches in the loss, of the mean squared error within a patch, divided by `count`, which is
/// the whole step's number of such patches over all ranks. predicted, target [B, N, P]. None: a zero that
/// needs no gradient.
torch::Tensor reconstruction_share(const torch::Tensor& predicted, const torch::Tensor& target,
                                   const Masked& mask, Reconstruction which, double count);

/// Sum, over own pictures, of the mean squared error of the pictures pooled by 4 x 4 pixels, divided by `count`, the
/// whole step's number of pictures over all ranks: it asks for nothing finer than that. predicted, target
/// [S, 3, H, W], 4 divides H and W.
torch::Tensor low_pass_share(const torch::Tensor& predicted, const torch::Tensor& target, double count);

/// norm_pix of MAE: (x - mean) / sqrt(unbiased variance + 1e-6) within each patch. [B, N, P].
torch::Tensor normalise_patches(const torch::Tensor& patches);

/// Clamps to [low, high]; the backward pass hands the cotangent on unchanged (straight-through).
torch::Tensor clamp_straight_through(const torch::Tensor& x, double low, double high);

}  // namespace facemae
