#pragma once
// From rows of a store to masked faces for a FaceMAE, and from pictures to encoded images: what all ways to make a
// release share.
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random/secret.h"
#include "data/image/image.h"
#include "data/store/store.h"
#include "model/facemae/face_mae.h"

namespace facemae {

/// How the pictures of a release are made and written.
struct RebuildConfig {
  double mask_ratio = 0.75;
  SecretKey mask_key;  ///< of the release (data/release/release_secret.h)
  int jpeg_quality = 95;
  bool png = false;
  std::size_t batch = 64;
};

/// Reads a row and decodes it into `pixels`, side * side * 3 bytes. `encoded` becomes its bytes. Throws DataError
/// naming the row.
void decode_row(const Store& source, std::uint64_t row, int side, Decoder& decoder,
                std::vector<std::byte>& encoded, std::span<std::uint8_t> pixels);

struct MaskedFaces {
  torch::Tensor images;  ///< [B, 3, H, W] in -1..1, on the device
  Masked mask;
};
/// The mask of a face is drawn from the ChaCha20 stream whose key is the keyed BLAKE2b of the encoded image: one mask
/// a face, shared by byte-identical duplicates, and no mask tells of another. Throws DataError naming the row.
MaskedFaces masked_faces(const Store& source, std::span<const std::uint64_t> rows, const FaceMae& model,
                         torch::Device device, const RebuildConfig& config);

/// Appends images [B, 3, H, W] in -1..1 to `encoded`, as PNG or JPEG.
void append_encoded(const torch::Tensor& images, const RebuildConfig& config,
                    std::vector<std::vector<std::byte>>& encoded);

}  // namespace facemae
