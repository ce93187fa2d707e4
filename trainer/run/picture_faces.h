#pragma once
// The faces of a run's sample pictures.
#include <cstdint>

#include "data/store/store.h"
#include "trainer/step/faces.h"

namespace facemae {

/// A fixed choice of rows, at most 8, with ordinals that no training sample has; rows that cannot be read are left out
/// with a warning.
Faces picture_faces(const Store& store, std::uint64_t seed, torch::Device device);

}  // namespace facemae
