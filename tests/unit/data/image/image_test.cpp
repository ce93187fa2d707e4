#include "data/image/image.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "data/image/jpeg_markers.h"
#include "tests/unit/data/image/foreign_images.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

using test_images::picture;

std::vector<std::byte> compress(const std::vector<std::uint8_t>& pixels, int side, int format,
                                int subsampling, int flags = 0) {
  tjhandle handle = tjInitCompress();
  unsigned char* out = nullptr;
  unsigned long size = 0;
  EXPECT_EQ(tjCompress2(handle, pixels.data(), side, 0, side, format, &out, &size, subsampling, 90, flags),
            0);
  const auto* bytes = reinterpret_cast<const std::byte*>(out);
  std::vector<std::byte> result(bytes, bytes + size);
  tjFree(out);
  tjDestroy(handle);
  return result;
}

TEST(Image, AJpegOfManyScansIsRefusedBeforeTheyAreAllDecoded) {
  const Image image = picture(3, 48);
  const auto good = compress(image.pixels, 48, TJPF_RGB, TJSAMP_444, TJFLAG_PROGRESSIVE);
  Decoder decoder;
  EXPECT_EQ(decoder.decode(good).width, 48);
  std::size_t scan = 0;
  for (std::size_t at = 0; at + 1 < good.size(); ++at)
    if (good[at] == std::byte{0xFF} && good[at + 1] == std::byte{0xDA}) scan = at;
  std::vector<std::byte> many(good.begin(), good.end() - 2);
  for (int i = 0; i < 1000; ++i)
    many.insert(many.end(), good.begin() + static_cast<std::ptrdiff_t>(scan), good.end() - 2);
  many.insert(many.end(), good.end() - 2, good.end());
  try {
    decoder.decode(many);
    FAIL() << "it was decoded";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("more than 500 scans"), std::string::npos) << error.what();
  }
}

TEST(Image, PngComesBackExactly) {
  const Image image = picture(3, 41);
  const auto png = encode_png(image);
  Decoder decoder;
  const Image back = decoder.decode(png);
  EXPECT_EQ(decoder.header(png).codec, Codec::Png);
  EXPECT_EQ(back.width, 41);
  EXPECT_EQ(back.pixels, image.pixels);
}

TEST(Image, JpegComesBackNearlyAndBetterAtHigherQuality) {
  Image image = picture(4, 48);
  Decoder decoder;
  const auto error = [&](int quality) {
    const Image back = decoder.decode(encode_jpeg(image, quality));
    double sum = 0;
    for (std::size_t i = 0; i < image.pixels.size(); ++i) sum += std::abs(image.pixels[i] - back.pixels[i]);
    return sum / static_cast<double>(image.pixels.size());
  };
  EXPECT_LT(error(100), 2);
  EXPECT_GT(error(30), error(100));
}

TEST(Image, CutJpegIsRefusedAtEveryLengthAndSpoilsNoLaterImage) {
  const auto jpeg = encode_jpeg(picture(5));
  Decoder decoder;
  const auto good = decoder.decode(jpeg).pixels;
  for (std::size_t length = 0; length < jpeg.size(); length += 3) {
    EXPECT_THROW(decoder.decode(Bytes(jpeg).first(length)), DataError) << length;
    EXPECT_EQ(decoder.decode(jpeg).pixels, good) << "a bad image spoilt the next one, length " << length;
  }
}

TEST(Image, CutPngAndForeignBytesAreRefused) {
  const auto png = encode_png(picture(5));
  Decoder decoder;
  EXPECT_THROW(decoder.decode(Bytes(png).first(png.size() / 2)), DataError);
  EXPECT_THROW(decoder.decode(bytes_of("GIF89a and so on")), DataError);
  EXPECT_THROW(decoder.header({}), DataError);
}

TEST(Image, APngThatIsRefusedLeavesNoMemoryBehind) {
  auto png = encode_png(picture(5));
  const std::string name = "sRGB";
  const Bytes chunk = bytes_of(name);
  const auto found = std::search(png.begin(), png.end(), chunk.begin(), chunk.end());
  ASSERT_NE(found, png.end());
  found[5] ^= std::byte{1};  // its checksum: libpng warns, and has allocated its structures by then
  Decoder decoder;
  EXPECT_THROW(decoder.header(png), DataError);
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 1000; ++i) EXPECT_THROW(decoder.header(png), DataError);
  EXPECT_LT(mallinfo2().uordblks, before + 100'000);  // 1.6 MB when each is left behind
}

TEST(Image, GreyBecomesRgb) {
  const std::vector<std::uint8_t> grey(32 * 32, 77);
  Decoder decoder;
  const Image image = decoder.decode(compress(grey, 32, TJPF_GRAY, TJSAMP_GRAY));
  ASSERT_EQ(image.pixels.size(), 32u * 32u * 3u);
  for (const auto value : image.pixels) EXPECT_NEAR(value, 77, 1);
}

TEST(Image, CmykBecomesRgb) {
  // Inverted CMYK as Adobe writes it: 255 is no ink. Red: no cyan, full magenta and yellow, no black.
  std::vector<std::uint8_t> cmyk;
  for (int i = 0; i < 32 * 32; ++i) cmyk.insert(cmyk.end(), {255, 0, 0, 255});
  Decoder decoder;
  const Image image = decoder.decode(compress(cmyk, 32, TJPF_CMYK, TJSAMP_444));
  EXPECT_NEAR(image.pixels[0], 255, 3);
  EXPECT_NEAR(image.pixels[1], 0, 3);
  EXPECT_NEAR(image.pixels[2], 0, 3);
}

TEST(Image, EveryKindOfAnotherEncoderBecomesTheSameRgb) {
  Decoder decoder;
  for (const auto& foreign : foreign_images::kAll) {
    const Image image = decoder.decode(foreign_images::bytes_of_hex(foreign.hex));
    ASSERT_EQ(image.width, 16) << foreign.name;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
      ASSERT_NEAR(image.pixels[i], foreign.red, 2) << foreign.name;
      ASSERT_NEAR(image.pixels[i + 1], foreign.green, 2) << foreign.name;
      ASSERT_NEAR(image.pixels[i + 2], foreign.blue, 2) << foreign.name;
    }
  }
}

TEST(Image, DecodingIntoAnotherSizeIsRefused) {
  const auto jpeg = encode_jpeg(picture(5, 32));
  std::vector<std::uint8_t> out(16 * 16 * 3);
  Decoder decoder;
  EXPECT_THROW(decoder.decode_into(jpeg, 16, 16, out), DataError);
}

TEST(Image, FlagsTellSubsamplingAndProgression) {
  const auto image = picture(6);
  EXPECT_EQ(encoding_flags(encode_jpeg(image, 95)), static_cast<std::uint8_t>(Subsampling::S420));
  EXPECT_EQ(encoding_flags(encode_jpeg(image, 98)), static_cast<std::uint8_t>(Subsampling::S444));
  EXPECT_EQ(encoding_flags(encode_png(image)), static_cast<std::uint8_t>(Subsampling::None));
  EXPECT_EQ(encoding_flags(compress(image.pixels, 32, TJPF_RGB, TJSAMP_422, TJFLAG_PROGRESSIVE)),
            static_cast<std::uint8_t>(Subsampling::S422) | kFlagProgressive);
}

TEST(Resize, AveragesAreasWhenShrinkingAndKeepsFlatColours) {
  Image two{2, 2, {0, 10, 20, 40, 50, 60, 80, 90, 100, 120, 130, 140}};
  EXPECT_EQ(resize(two, 1, 1).pixels, (std::vector<std::uint8_t>{60, 70, 80}));
  const Image flat{30, 30, std::vector<std::uint8_t>(2700, 123)};
  for (const int side : {7, 13, 30, 112})
    for (const auto value : resize(flat, side, side).pixels) ASSERT_EQ(value, 123);
}

TEST(Resize, InterpolatesWhenGrowing) {
  const Image two{2, 1, {0, 0, 0, 100, 100, 100}};
  const Image four = resize(two, 4, 1);
  // Pixel centres at -0.25, 0.25, 0.75, 1.25 of the source.
  EXPECT_EQ(four.pixels[0], 0);
  EXPECT_EQ(four.pixels[3], 25);
  EXPECT_EQ(four.pixels[6], 75);
  EXPECT_EQ(four.pixels[9], 100);
}

}  // namespace
}  // namespace facemae
