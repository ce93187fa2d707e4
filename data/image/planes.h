#pragma once
// Turns encoded images into bytes of a batch: RGB, or the luma and half-size chroma planes of most JPEGs,
// which saves the decoder upsampling and colour conversion (model/common/pixels.h does them on the device).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "data/image/image.h"

namespace facemae {

enum class PixelFormat {
  Rgb,     ///< [side, side, 3]
  Yuv420,  ///< JFIF luma [side, side], then Cb and Cr [side / 2, side / 2]; the side is even
};

/// The bytes of one square image.
constexpr std::size_t image_bytes(int side, PixelFormat format) {
  const auto pixels = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  return format == PixelFormat::Rgb ? pixels * 3 : pixels + pixels / 2;
}

/// One per thread.
class PlanesDecoder {
 public:
  PlanesDecoder();
  ~PlanesDecoder();
  PlanesDecoder(PlanesDecoder&&) noexcept;
  /// Decodes a square image of this side into the image_bytes() of `out`. A 4:2:0 or grey JPEG gives its own
  /// planes; any other image is decoded to RGB and its chroma averaged over 2 x 2 pixels. Throws DataError.
  void decode_into(Bytes encoded, int side, PixelFormat format, std::span<std::uint8_t> out);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace facemae
