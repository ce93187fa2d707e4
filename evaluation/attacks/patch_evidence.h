#pragma once
// Which person's photos show the patches of a picture? For who knows how likely each patch was kept from a photo.
#include <torch/types.h>

#include <cstdint>
#include <span>

namespace facemae {

/// Pictures [P, 3, H, W], uint8 or float32 in -1..1, as patches of colour means: [P, N, F], N = (H / patch)^2 in the
/// order of FaceMAE, F = 3 * side^2 for side x side means a patch.
torch::Tensor patch_features(const torch::Tensor& pictures, std::int64_t patch, std::int64_t side = 4);

/// [P, people] log-likelihood ratios, which add up over pictures: sum over patches n of
///   log(1 - w + w mean_{photos j of the person} K_ijn / mean_{all j} K_ijn),  K = exp(-|z_in - g_jn|^2 / (2 h_n)),
/// w = kept[i, n]. pictures [P, N, F], kept [P, N] probabilities, photos [M, N, F], width [N] is h. Memory beside the
/// input: about `block_bytes`. Throws ConfigError when sizes disagree.
torch::Tensor patch_evidence(const torch::Tensor& pictures, const torch::Tensor& kept,
                             const torch::Tensor& photos, std::span<const std::int64_t> people_of_photo,
                             std::int64_t people, const torch::Tensor& width,
                             std::int64_t block_bytes = 64 << 20);

}  // namespace facemae
