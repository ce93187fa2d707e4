#pragma once
// How much FaceMAE and its random embedder compute (model/common/flops.h). N patches, of which K are kept, D width.
#include "model/common/flops.h"
#include "model/facemae/embedder.h"
#include "model/facemae/face_mae.h"

namespace facemae {

struct FaceMaeFlops {
  Flops encoder;       ///< of a face: K patches in, the tokens that the decoder takes out
  double decoder = 0;  ///< forward, of a picture: N + 1 tokens in, all patches out
};
/// A block on T tokens is 24 T D^2 of linear layers and 4 T^2 D of attention; a code adds two small products.
FaceMaeFlops flops_of(const FaceMaeConfig& config, double mask_ratio);

Flops flops_of(const RandomEmbedderConfig& config);

}  // namespace facemae
