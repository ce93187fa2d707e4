#pragma once
// Deployment: masked faces of unseen people through a trained FaceMAE. Only decoder output leaves this file;
// visible patches are never pasted, that would publish real pixels.
#include <cstddef>
#include <functional>
#include <vector>

#include "core/random/secret.h"
#include "data/store/store.h"
#include "model/facemae/face_mae.h"

namespace facemae {

struct RebuildConfig {
  double mask_ratio = 0.75;
  SecretKey mask_key;  ///< of the release (data/release/release_secret.h)
  int jpeg_quality = 95;
  bool png = false;
  std::size_t batch = 64;
};

/// Encoded rebuilt images of source rows, in order. The mask is drawn from the ChaCha20 stream whose key is
/// the keyed BLAKE2b of the encoded image: one mask a face, shared by byte-identical duplicates, and no mask
/// tells of another. Throws DataError naming the row. `advance` counts done images.
std::vector<std::vector<std::byte>> rebuild_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                                 FaceMae& model, torch::Device device,
                                                 const RebuildConfig& config,
                                                 const std::function<void(std::size_t)>& advance);

}  // namespace facemae
