#pragma once
// Pictures of a blend: several masked photos are encoded, the means of their tokens decoded, once. A mean holds
// nothing that only one person has, which no choice among pixels could promise (docs/METHOD.md, "People blend").
#include <cstddef>
#include <functional>
#include <vector>

#include "data/release/blend.h"
#include "trainer/rebuild/masked_faces.h"

namespace facemae {

/// Encoded pictures in order. `rows`: the blend.images photos of each picture, those of one person as neighbours
/// (ReleasePlan::source_rows). Each photo has the mask of masked_faces(). Pictures of one class are made together,
/// and a photo is encoded once for them; memory: the tokens of 1,024 photos, or of one picture's when that is more, and
/// those of config.batch pictures. Throws DataError naming the row. `advance` counts done pictures.
std::vector<std::vector<std::byte>> blend_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                               const Blend& blend, FaceMae& model, torch::Device device,
                                               const RebuildConfig& config,
                                               const std::function<void(std::size_t)>& advance);

}  // namespace facemae
