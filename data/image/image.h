#pragma once
// Decodes and encodes pictures, JPEG and PNG, with TurboJPEG and libpng. Does not use LibTorch.
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

enum class Codec { Jpeg, Png };

/// Decodes JPEG (grey and CMYK become RGB) and PNG, distinguished by their first bytes. One per thread.
class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  struct Header {
    int width, height;
    Codec codec;
  };
  Header header(Bytes encoded);  ///< throws DataError
  Image decode(Bytes encoded);  ///< throws DataError: a decoder's warning (truncated data) counts as an error
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
/// Resizes by area averaging or bilinearly, whichever suits the direction.
Image resize(const Image& image, int width, int height);

}  // namespace facemae
