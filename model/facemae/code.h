#pragma once
// Passes what a picture shows of a person through a narrow code of bounded length, the only thing that a release with
// differential privacy perturbs (trainer/rebuild/code_release.h). B photos, S pictures, W width of the code, D the
// decoder's width, N patches.
#include <torch/types.h>

#include "model/facemae/face_mae.h"

namespace facemae {

/// What a picture has besides its code: tokens of kept patches of a photo of somebody else.
struct Nuisance {
  torch::Tensor tokens;  ///< [S, 1 + K, D], of FaceMae::embed_for_decoder; that of cls is not used
  torch::Tensor kept;    ///< [S, K]
  torch::Tensor shown;   ///< [S], 1 or 0: whether the picture has it
};

/// latent [B, 1 + K, D'] of FaceMae::encode -> codes [B, W] of length 1 at most, float32: clip(A c) with
/// clip(x) = x / max(1, |x|) and c the token of cls. The model must have a code.
torch::Tensor codes_of(FaceMaeImpl& model, const torch::Tensor& latent);

/// codes [S, W], of any length -> tokens for FaceMae::decode_tokens [S, 1 + N, D]: C = B code, and the mask token at
/// every patch, to which the nuisance's token is added where it keeps the patch and is shown.
torch::Tensor tokens_of_codes(FaceMaeImpl& model, const torch::Tensor& codes, const Nuisance& nuisance);

/// latent and mask of FaceMae::encode -> every patch as pixels [B, N, P] of what each photo's own code shows, without
/// noise and nuisance: for the eye. The model must have a code.
torch::Tensor decode_codes(FaceMaeImpl& model, const torch::Tensor& latent, const Masked& mask);

/// The mask ratio that keeps two patches of N.
double nuisance_ratio(std::int64_t patches);

}  // namespace facemae
