#pragma once
// Blends the tokens of several people's photos into those of one picture, between encoder and decoder: k-Same
// (Newton et al. 2005) moved into FaceMAE's tokens. B photos in S sets, K kept patches of N, D the decoder's width.
#include <torch/types.h>

#include <cstdint>
#include <span>

namespace facemae {

/// Of each set the mean over its people of the mean over their photos: rows [B, ...] -> [S, ...]. Photo i belongs to
/// set set_of_photo[i], 0..S-1, of which none is empty, and there to the person person_of_photo[i], any number. Throws
/// Error when these do not fit.
torch::Tensor mean_over_people(const torch::Tensor& rows, std::span<const std::int64_t> set_of_photo,
                               std::span<const std::int64_t> person_of_photo);

/// Tokens of cls and the kept patches of each photo, as FaceMae::embed_for_decoder gives them [B, 1 + K, D], and which
/// patches these are (Masked::kept, [B, K]) -> tokens of each set [S, 1 + N, D] for FaceMae::decode_tokens, float32
/// (float64 stays). Differentiable in tokens and mask_token [1, 1, D].
///   n_p = number of different people of the set of whom a photo keeps patch p
///   T_p = 1/n_p sum over these people of the mean over their photos that keep p of t_p,  if n_p >= min_people,
///         else the mask token (also where nobody keeps p)
///   C   = mean over people of the mean over their photos of cls
/// So a person counts once, however many photos keep a patch, and a patch that fewer than min_people people show is
/// not shown. Throws Error as above.
torch::Tensor blend_tokens(const torch::Tensor& tokens, const torch::Tensor& kept,
                           std::span<const std::int64_t> set_of_photo,
                           std::span<const std::int64_t> person_of_photo, std::int64_t patches,
                           std::int64_t min_people, const torch::Tensor& mask_token);

}  // namespace facemae
