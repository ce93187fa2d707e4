#pragma once
// Deployment: masked faces of unseen people through a trained FaceMAE. Only decoder output leaves this file;
// visible patches are never pasted, that would publish real pixels.
#include <cstddef>
#include <functional>
#include <vector>

#include "trainer/rebuild/masked_faces.h"

namespace facemae {

/// Encoded rebuilt images of source rows, in order, with the masks of masked_faces(). Throws DataError naming the
/// row. `advance` counts done images.
std::vector<std::vector<std::byte>> rebuild_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                                 FaceMae& model, torch::Device device,
                                                 const RebuildConfig& config,
                                                 const std::function<void(std::size_t)>& advance);

}  // namespace facemae
