#include "data/image/planes.h"

#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <cmath>

#include "core/error.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

using test_images::picture;

std::vector<std::uint8_t> planes(Bytes encoded, int side) {
  std::vector<std::uint8_t> out(image_bytes(side, PixelFormat::Yuv420));
  PlanesDecoder decoder;
  decoder.decode_into(encoded, side, PixelFormat::Yuv420, out);
  return out;
}

std::vector<std::byte> jpeg(const Image& image, int subsampling) {
  const tjhandle handle = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;
  EXPECT_EQ(tjCompress2(handle, image.pixels.data(), image.width, 0, image.height, TJPF_RGB, &data, &size,
                        subsampling, 95, 0),
            0);
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> result(bytes, bytes + size);
  tjFree(data);
  tjDestroy(handle);
  return result;
}

/// JFIF luma and chroma of the RGB picture, chroma averaged over 2 x 2.
std::vector<double> expected(const Image& image) {
  const int side = image.width;
  std::vector<double> result(image_bytes(side, PixelFormat::Yuv420), 0);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const auto* p = &image.pixels[static_cast<std::size_t>((y * side + x) * 3)];
      result[static_cast<std::size_t>(y * side + x)] = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
      const auto chroma = static_cast<std::size_t>(side * side + y / 2 * (side / 2) + x / 2);
      result[chroma] += (128 - 0.168736 * p[0] - 0.331264 * p[1] + 0.5 * p[2]) / 4;
      result[chroma + static_cast<std::size_t>(side * side / 4)] +=
          (128 + 0.5 * p[0] - 0.418688 * p[1] - 0.081312 * p[2]) / 4;
    }
  return result;
}

double mean_difference(const std::vector<std::uint8_t>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

TEST(Planes, OfEveryKindOfImageAreItsLumaAndChroma) {
  const Image image = picture(4, 48);
  const auto truth = expected(image);
  EXPECT_LT(mean_difference(planes(encode_png(image), 48), truth), 0.6);
  for (const int subsampling : {TJSAMP_444, TJSAMP_422, TJSAMP_420})
    EXPECT_LT(mean_difference(planes(jpeg(image, subsampling), 48), truth), 2.5) << subsampling;
  const auto grey = planes(jpeg(image, TJSAMP_GRAY), 48);
  EXPECT_LT(mean_difference({grey.begin(), grey.begin() + 48 * 48}, {truth.begin(), truth.begin() + 48 * 48}),
            2.5);
  for (std::size_t i = 48 * 48; i < grey.size(); ++i) ASSERT_EQ(grey[i], 128);
}

TEST(Planes, OfA420JpegAreItsOwn) {
  const auto encoded = jpeg(picture(5, 112), TJSAMP_420);
  const auto found = planes(encoded, 112);
  std::vector<std::uint8_t> own(tjBufSizeYUV2(112, 1, 112, TJSAMP_420));
  const tjhandle handle = tjInitDecompress();
  ASSERT_EQ(tjDecompressToYUV2(handle, reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size(),
                               own.data(), 112, 1, 112, 0),
            0);
  tjDestroy(handle);
  EXPECT_EQ(found, own);
}

TEST(Planes, DamagedImagesAreRefusedAndTheNextOneIsFine) {
  auto encoded = jpeg(picture(5, 32), TJSAMP_420);
  const auto whole = planes(encoded, 32);
  PlanesDecoder decoder;
  std::vector<std::uint8_t> out(whole.size());
  const Bytes bytes(encoded);
  EXPECT_THROW(decoder.decode_into(bytes.first(bytes.size() / 2), 32, PixelFormat::Yuv420, out), DataError);
  EXPECT_THROW(decoder.decode_into(bytes.first(30), 32, PixelFormat::Yuv420, out), DataError);
  EXPECT_THROW(decoder.decode_into({}, 32, PixelFormat::Yuv420, out), DataError);
  decoder.decode_into(encoded, 32, PixelFormat::Yuv420, out);
  EXPECT_EQ(out, whole);
  std::vector<std::uint8_t> other(image_bytes(30, PixelFormat::Yuv420));
  EXPECT_THROW(decoder.decode_into(encoded, 30, PixelFormat::Yuv420, other), DataError);
  EXPECT_THROW(decoder.decode_into(encoded, 32, PixelFormat::Yuv420, other), Error);
}

}  // namespace
}  // namespace facemae
