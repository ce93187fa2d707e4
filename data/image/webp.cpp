#include "data/image/webp.h"

#include <webp/decode.h>

#include "core/error.h"
#include "core/log.h"
#include "data/image/image_kind.h"

namespace facemae {
namespace {

const std::uint8_t* data_of_webp(Bytes bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

void check_status(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OK:
      return;
    case VP8_STATUS_NOT_ENOUGH_DATA:
      throw DataError("WebP: the file ends within the picture");
    case VP8_STATUS_OUT_OF_MEMORY:
      throw Error("WebP: out of memory");
    default:
      throw DataError(fmt::format("WebP: damaged (libwebp's status {})", static_cast<int>(status)));
  }
}

WebPBitstreamFeatures features_of(Bytes encoded) {
  WebPBitstreamFeatures features;
  check_status(WebPGetFeatures(data_of_webp(encoded), encoded.size(), &features));
  if (features.has_animation != 0)
    throw DataError("WebP: an animation: save the picture that is meant as JPEG or PNG");
  check_size(features.width, features.height);
  return features;
}

}  // namespace

ImageHeader webp_header(Bytes encoded) {
  const WebPBitstreamFeatures features = features_of(encoded);
  return {features.width, features.height, Codec::Webp, features.format == 2};
}

void decode_webp(Bytes encoded, std::span<std::uint8_t> out) {
  const WebPBitstreamFeatures features = features_of(encoded);
  const auto pixels = out.size() / 3;
  if (out.size() != pixel_bytes(features.width, features.height))
    throw Error(fmt::format("reading a WebP into {} bytes", out.size()));
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) throw Error("starting libwebp: it is not the one of its headers");
  // Premultiplied colours are those over black.
  std::vector<std::uint8_t> with_alpha(features.has_alpha != 0 ? pixels * 4 : 0);
  config.output.colorspace = features.has_alpha != 0 ? MODE_rgbA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = features.has_alpha != 0 ? with_alpha.data() : out.data();
  config.output.u.RGBA.stride = features.width * (features.has_alpha != 0 ? 4 : 3);
  config.output.u.RGBA.size = features.has_alpha != 0 ? with_alpha.size() : out.size();
  check_status(WebPDecode(data_of_webp(encoded), encoded.size(), &config));
  if (features.has_alpha == 0) return;
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c) out[i * 3 + c] = with_alpha[i * 4 + c];
}

}  // namespace facemae
