#pragma once
// Decodes pictures (JPEG, PNG, WebP, BMP) and encodes them (JPEG, PNG). Does not use LibTorch.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"

namespace facemae {

/// RGB, 8 bits, row by row, channels last.
struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  ///< height * width * 3
};

/// The bytes of an image's pixels.
constexpr std::size_t pixel_bytes(int width, int height) {
  return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
}

enum class Codec { Jpeg, Png, Webp, Bmp };

struct ImageHeader {
  int width, height;
  Codec codec;
  bool lossless;  ///< the encoding has lost nothing
};

/// Decodes JPEG (grey and CMYK become RGB), PNG and WebP (alpha over black) and BMP, told apart by their first
/// bytes. One per thread.
class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  using Header = ImageHeader;
  Header header(Bytes encoded);  ///< throws DataError, which says what else it is
  /// The pixels as they are stored, which in a store is as they are to be seen. Throws DataError; a decoder's
  /// warning about pixels (truncated data) counts as an error.
  Image decode(Bytes encoded);
  /// decode(), turned as the picture's EXIF orientation says: how viewers show it. For pictures that do not
  /// come from a store.
  Image decode_upright(Bytes encoded);
  /// Decodes into `out`, which must hold height * width * 3 bytes; throws DataError if the size differs.
  void decode_into(Bytes encoded, int width, int height, std::span<std::uint8_t> out);
  /// The header; an image of width x height is also decoded, without keeping pixels: throws DataError
  /// whenever decode() would. Cheaper than decode(): colours are left unconverted.
  Header check(Bytes encoded, int width, int height);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

std::vector<std::byte> encode_jpeg(const Image& image,
                                   int quality = 95);  ///< 4:2:0 below quality 96, else 4:4:4
std::vector<std::byte> encode_png(const Image& image);
/// For an image made from another: a PNG where nothing had been lost, else a JPEG of quality 95.
std::vector<std::byte> encode_again(const Image& image, const ImageHeader& source);

}  // namespace facemae
