#pragma once
// Deployment: masked faces of unseen people through a trained FaceMAE. Only decoder output leaves this file;
// visible patches are never pasted, that would publish real pixels.
#include <cstddef>
#include <functional>
#include <vector>

#include "data/store.h"
#include "model/face_mae.h"

namespace facemae {

struct RebuildConfig {
  double mask_ratio = 0.75;
  std::uint64_t mask_seed = 0;  ///< the release's secret
  int jpeg_quality = 95;
  bool png = false;
  std::size_t batch = 64;
};

/// Encoded rebuilt images of source rows, in order. The mask is a function of (secret, content of the encoded
/// image): one mask a face, shared by byte-identical duplicates. Throws DataError naming the row. `advance`
/// counts done images.
std::vector<std::vector<std::byte>> rebuild_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                                 FaceMae& model, torch::Device device,
                                                 const RebuildConfig& config,
                                                 const std::function<void(std::size_t)>& advance);

}  // namespace facemae
