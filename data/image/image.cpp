#include "data/image/image.h"

#include "core/error.h"
#include "core/log.h"
#include "data/image/bmp.h"
#include "data/image/image_kind.h"
#include "data/image/jpeg.h"
#include "data/image/orientation.h"
#include "data/image/png_reader.h"
#include "data/image/webp.h"

namespace facemae {

struct Decoder::Handles {
  JpegDecoder jpeg;
  std::vector<std::uint8_t> pixels;
};

Decoder::Decoder() : handles_(std::make_unique<Handles>()) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;

Decoder::Header Decoder::header(Bytes encoded) {
  switch (codec_of(encoded)) {
    case Codec::Jpeg:
      return handles_->jpeg.header(encoded);
    case Codec::Png:
      return PngReader(encoded).header();
    case Codec::Webp:
      return webp_header(encoded);
    case Codec::Bmp:
      return bmp_header(encoded);
  }
  throw Error("a codec without a decoder");
}

Image Decoder::decode(Bytes encoded) {
  const Header found = header(encoded);
  Image image{found.width, found.height, {}};
  image.pixels.resize(pixel_bytes(found.width, found.height));
  decode_into(encoded, found.width, found.height, image.pixels);
  return image;
}

Image Decoder::decode_upright(Bytes encoded) { return turned(decode(encoded), orientation_of(encoded)); }

void Decoder::decode_into(Bytes encoded, int width, int height, std::span<std::uint8_t> out) {
  if (out.size() != pixel_bytes(width, height))
    throw Error(fmt::format("decoding {} x {} into a buffer of {} bytes", width, height, out.size()));
  const auto check_same = [&](const Header& found) {
    if (found.width != width || found.height != height)
      throw DataError(
          fmt::format("the image is {} x {}, expected {} x {}", found.width, found.height, width, height));
  };
  switch (codec_of(encoded)) {
    case Codec::Jpeg:
      check_same(handles_->jpeg.header(encoded));
      return handles_->jpeg.decode(encoded, out);
    case Codec::Png: {
      PngReader png(encoded);
      check_same(png.header());
      return png.read(out);
    }
    case Codec::Webp:
      check_same(webp_header(encoded));
      return decode_webp(encoded, out);
    case Codec::Bmp:
      check_same(bmp_header(encoded));
      return decode_bmp(encoded, out);
  }
}

Decoder::Header Decoder::check(Bytes encoded, int width, int height) {
  const Header found = header(encoded);
  if (found.width != width || found.height != height) return found;
  if (found.codec == Codec::Jpeg && handles_->jpeg.check_planes(encoded)) return found;
  handles_->pixels.resize(pixel_bytes(width, height));
  decode_into(encoded, width, height, handles_->pixels);
  return found;
}

std::vector<std::byte> encode_again(const Image& image, const ImageHeader& source) {
  return source.lossless ? encode_png(image) : encode_jpeg(image);
}

}  // namespace facemae
