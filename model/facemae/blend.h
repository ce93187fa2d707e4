#pragma once
// Means of decoder tokens over photos and people: what a picture of a people blend is decoded from, when it is trained
// and when it is released; k-Same (Newton et al. 2005) moved into FaceMAE's tokens (docs/METHOD.md, "People blend").
// B pictures, K people, b photos of each, U photos, N patches, D decoder width.
#include <torch/types.h>

#include <cstdint>

namespace facemae {

/// tokens [U, 1 + N, D] of FaceMaeImpl::decoder_tokens, hidden [U, N] of their masks, which [B, K, b] int64: the photos
/// of each picture, by person -> [B, 1 + N, D] for decode_tokens, float32 (float64 stays). At each position the mean over
/// people of the mean over those photos of the person that keep it, so a person counts once however many do; where fewer
/// than `min_people` have one, mask_token [1, 1, D]. Every photo has a class token. With K = b = 1 the tokens themselves.
/// Differentiable in tokens and mask_token. Memory: a few tensors of the result's size.
torch::Tensor blend_people(const torch::Tensor& tokens, const torch::Tensor& hidden,
                           const torch::Tensor& which, const torch::Tensor& mask_token,
                           std::int64_t min_people);

}  // namespace facemae
