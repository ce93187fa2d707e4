#include "data/image/planes.h"

#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "data/image/jpeg.h"

namespace facemae {
namespace {

using Planes = std::array<unsigned char*, 3>;

Planes planes_of(std::span<std::uint8_t> out, int side) {
  const auto luma = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  return {out.data(), out.data() + luma, out.data() + luma + luma / 4};
}

}  // namespace

struct PlanesDecoder::Handles {
  Handles() { start(); }
  ~Handles() { stop(); }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  void start() {
    jpeg = tjInitDecompress();
    encoder = tjInitCompress();
    if (jpeg == nullptr || encoder == nullptr) {
      stop();
      throw Error(std::string("starting TurboJPEG: ") + tjGetErrorStr2(nullptr));
    }
  }
  void stop() {
    if (jpeg != nullptr) tjDestroy(std::exchange(jpeg, nullptr));
    if (encoder != nullptr) tjDestroy(std::exchange(encoder, nullptr));
  }
  void start_again() {
    stop();
    start();
  }
  /// As in Decoder: a warning counts as an error, and a handle that failed is not used again.
  void check(tjhandle handle, int result) {
    if (result == 0) return;
    const std::string reason = tjGetErrorStr2(handle);
    start_again();
    throw DataError("JPEG: " + reason);
  }

  /// False if this is not a JPEG that has such planes of its own.
  bool own_planes(Bytes encoded, int side, std::span<std::uint8_t> out) {
    if (encoded.size() < 2 || encoded[0] != std::byte{0xFF} || encoded[1] != std::byte{0xD8}) return false;
    const auto* data = reinterpret_cast<const unsigned char*>(encoded.data());
    int width = 0, height = 0, subsampling = 0, colours = 0;
    if (tjDecompressHeader3(jpeg, data, encoded.size(), &width, &height, &subsampling, &colours) != 0) {
      start_again();
      return false;  // also where its subsampling has no name
    }
    const bool grey = subsampling == TJSAMP_GRAY;
    if (!grey && (subsampling != TJSAMP_420 || colours != TJCS_YCbCr)) return false;
    if (width != side || height != side)
      throw DataError(fmt::format("the image is {} x {}, expected {} x {}", width, height, side, side));
    Planes planes = planes_of(out, side);
    check(jpeg, tjDecompressToYUVPlanes(jpeg, data, encoded.size(), planes.data(), side, nullptr, side,
                                        kJpegFlags));
    if (grey) std::fill(planes[1], out.data() + out.size(), std::uint8_t{128});
    return true;
  }
  void from_rgb(Bytes encoded, int side, std::span<std::uint8_t> out) {
    rgb.resize(image_bytes(side, PixelFormat::Rgb));
    decoder.decode_into(encoded, side, side, rgb);
    Planes planes = planes_of(out, side);
    check(encoder, tjEncodeYUVPlanes(encoder, rgb.data(), side, 0, side, TJPF_RGB, planes.data(), nullptr,
                                     TJSAMP_420, 0));
  }

  tjhandle jpeg = nullptr, encoder = nullptr;
  Decoder decoder;
  std::vector<std::uint8_t> rgb;
};

PlanesDecoder::PlanesDecoder() : handles_(std::make_unique<Handles>()) {}
PlanesDecoder::~PlanesDecoder() = default;
PlanesDecoder::PlanesDecoder(PlanesDecoder&&) noexcept = default;

void PlanesDecoder::decode_into(Bytes encoded, int side, PixelFormat format, std::span<std::uint8_t> out) {
  if (out.size() != image_bytes(side, format) || (format == PixelFormat::Yuv420 && side % 2 != 0))
    throw Error(fmt::format("decoding an image of side {} into {} bytes", side, out.size()));
  if (format == PixelFormat::Rgb) {
    handles_->decoder.decode_into(encoded, side, side, out);
  } else if (!handles_->own_planes(encoded, side, out)) {
    handles_->from_rgb(encoded, side, out);
  }
}

}  // namespace facemae
