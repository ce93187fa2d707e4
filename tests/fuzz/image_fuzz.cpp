// Encoded images (data/image/image.h) and the markers of JPEGs (data/image/jpeg_markers.h). The decoders' own
// code is not compiled for the fuzzer, so it sees what is ours: sizes, errors, and that a decoder
// works on after a bad image.
#include "data/image/image.h"
#include "data/image/jpeg_markers.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

Image drawing(int width, int height) {
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * 7);
  return image;
}
std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void parse(std::string_view input) {
  static Decoder decoder;
  const Bytes encoded = std::as_bytes(std::span(input));
  encoding_flags(encoded);
  const Decoder::Header header = decoder.header(encoded);
  // A header may rightly ask for 64 million pixels, which takes too long to decode here.
  if (header.width > 64 || header.height > 64) return;
  const Image image = decoder.decode(encoded);
  require(image.pixels.size() == static_cast<std::size_t>(3 * header.width * header.height),
          "a picture has the size that its header says");
}

std::vector<std::string> seeds() {
  return {text_of(encode_jpeg(drawing(8, 8), 50)), text_of(encode_jpeg(drawing(17, 9), 97)),
          text_of(encode_png(drawing(8, 8)))};
}

}  // namespace facemae::fuzz
