#pragma once
// Pictures of a FaceMAE at work: original | masked | rebuilt, one row per face.
#include <torch/types.h>

#include "data/image/image.h"
#include "model/facemae/face_mae.h"

namespace facemae {

/// images [B, 3, H, W] in [-1, 1]. `normalised`: the model was trained on normalised patches, so each rebuilt
/// patch gets the original's mean and deviation (a picture for the eye, never for a release).
Image triptych(FaceMae& model, const torch::Tensor& images, const Masked& mask, bool normalised = false);
/// `rebuilt`: what was made of the images, every patch as pixels [B, N, P].
Image triptych(const FaceMae& model, const torch::Tensor& images, const Masked& mask,
               const torch::Tensor& rebuilt);

/// Lays pictures [B, 3, H, W] of several columns side by side with a thin gap.
Image picture_grid(const std::vector<torch::Tensor>& columns);

}  // namespace facemae
