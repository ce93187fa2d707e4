#pragma once
// Draws random masks as MAE does: argsort of uniform noise; the first int(N * (1 - ratio)) patches are kept.
#include <torch/types.h>

#include <cstdint>
#include <span>

namespace facemae {

/// B images, N patches, K kept.
struct Masked {
  torch::Tensor kept;     ///< [B, K] int64: patch numbers, in shuffled order
  torch::Tensor restore;  ///< [B, N] int64: position of each patch in the shuffled order
  torch::Tensor hidden;   ///< [B, N] float32: 1 hidden, 0 visible
};

/// tokens [B, N, W] -> those of each image in the sequence that its permutation `order` [B, N] says.
torch::Tensor reordered(const torch::Tensor& tokens, const torch::Tensor& order);

/// Of permutations [B, N] of 0 to N - 1: of Masked::restore, patch numbers in shuffled order, kept ones first.
torch::Tensor inverse_order(const torch::Tensor& order);

std::int64_t kept_patches(std::int64_t patches, double ratio);  ///< int(N * (1 - ratio)), at least 1
/// noise [B, N] -> masks; ties are broken as by a stable argsort.
Masked mask_from_noise(const torch::Tensor& noise, double ratio);
/// The noise of a key: splitmix64 draws, 53 bits each.
void draw_noise(std::uint64_t key, std::span<double> noise);
/// One mask per key (a sample's, never a rank's).
Masked random_masks(std::span<const std::uint64_t> keys, std::int64_t patches, double ratio,
                    torch::Device device);

}  // namespace facemae
