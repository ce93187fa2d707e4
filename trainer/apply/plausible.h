#pragma once
// Cheap doubts about a model before much is made with it: weights may be finite and useless all the same.
#include "data/store/store.h"
#include "model/facemae/face_mae.h"

namespace facemae {

/// Rebuilds a few faces of `source`, far apart in it. Throws DataError when what comes out is not finite,
/// when every picture is of one colour, or when different faces give the same picture: a release of those
/// would look perfectly private, and be worth nothing.
void refuse_flat_pictures(const Store& source, FaceMae& model, torch::Device device, double mask_ratio);

}  // namespace facemae
