#include "data/image/image.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "core/error.h"
#include "data/image/jpeg_markers.h"
#include "data/image/planes.h"
#include "data/image/resize.h"
#include "tests/unit/data/image/encoded_pictures.h"
#include "tests/unit/data/image/foreign_images.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
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

/// With its last scan a thousand times.
std::vector<std::byte> of_many_scans(const std::vector<std::byte>& good) {
  std::size_t scan = 0;
  for (std::size_t at = 0; at + 1 < good.size(); ++at)
    if (good[at] == std::byte{0xFF} && good[at + 1] == std::byte{0xDA}) scan = at;
  std::vector<std::byte> many(good.begin(), good.end() - 2);
  for (int i = 0; i < 1000; ++i)
    many.insert(many.end(), good.begin() + static_cast<std::ptrdiff_t>(scan), good.end() - 2);
  many.insert(many.end(), good.end() - 2, good.end());
  return many;
}

TEST(Image, AJpegOfManyScansIsRefusedOnEveryWayBeforeTheyAreAllDecoded) {
  std::vector<std::byte>
      good;  // whose scans may be repeated without a warning, unlike those of a progressive one
  for (const auto& foreign : foreign_images::kAll)
    if (foreign.name == std::string("a scan for each colour.jpg"))
      good = foreign_images::bytes_of_hex(foreign.hex);
  Decoder decoder;
  PlanesDecoder planes;
  std::vector<std::uint8_t> out(image_bytes(16, PixelFormat::Yuv420));
  const auto many = of_many_scans(good);
  for (const std::function<void(Bytes)>& way :
       {std::function<void(Bytes)>([&](Bytes bytes) { decoder.decode(bytes); }),
        {[&](Bytes bytes) { decoder.check(bytes, 16, 16); }},
        {[&](Bytes bytes) { planes.decode_into(bytes, 16, PixelFormat::Yuv420, out); }}}) {
    EXPECT_EQ(why<DataError>([&] { way(good); }), "");
    const std::string fault = why<DataError>([&] { way(many); });
    EXPECT_NE(fault.find("more than 500 scans"), std::string::npos) << fault;
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
  png[8 + 8 + 13] ^= std::byte{1};  // IHDR's checksum: libpng has allocated its structures by then
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

TEST(Image, AnAnimationIsRefusedByName) {
  const auto animated = foreign_images::bytes_of_hex(foreign_images::kAnimatedWebp);
  EXPECT_NE(why<DataError>([&] { Decoder().decode(animated); }).find("an animation"), std::string::npos);
}

TEST(Image, WebpIsLosslessOrNotAndIsRefusedAtEveryLength) {
  Decoder decoder;
  for (const auto& foreign : foreign_images::kAll) {
    const std::string name = foreign.name;
    if (!name.ends_with(".webp")) continue;
    const auto bytes = foreign_images::bytes_of_hex(foreign.hex);
    EXPECT_EQ(decoder.header(bytes).codec, Codec::Webp);
    EXPECT_EQ(decoder.header(bytes).lossless, name != "lossy.webp") << name;
    for (std::size_t length = 0; length + 2 < bytes.size(); ++length)
      EXPECT_THROW(decoder.decode(Bytes(bytes).first(length)), DataError) << name << " " << length;
  }
}

TEST(Image, ClaimsOfHugeSizesAreRefusedBeforeMemoryIsTaken) {
  Decoder decoder;
  auto jpeg = encode_jpeg(picture(5));
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == std::byte{0xFF} && jpeg[i + 1] == std::byte{0xC0})
      for (std::size_t k = 5; k < 9; ++k) jpeg[i + k] = k % 2 == 1 ? std::byte{0xFE} : std::byte{0};
  auto png = encode_png(picture(5)), webp = foreign_images::bytes_of_hex(foreign_images::kAll[0].hex);
  png[18] = png[22] = std::byte{0xFF};  // 65312 x 65312
  encoded_pictures::put_checksum(png, 12, 17);
  for (const auto& foreign : foreign_images::kAll)
    if (foreign.name == std::string("lossy.webp")) webp = foreign_images::bytes_of_hex(foreign.hex);
  webp[27] = webp[29] = std::byte{0x3F};  // 16144 x 16144
  for (const auto& bytes : {jpeg, png, webp, encoded_pictures::bmp(65000, 65000, 24, 0, {}, {}, {})})
    EXPECT_NE(why<DataError>([&] { decoder.decode(bytes); }).find("is not accepted"), std::string::npos)
        << why<DataError>([&] { decoder.decode(bytes); });
}

TEST(Image, SamplingsWithoutANameAreCheckedDecodedAndFlagged) {
  Decoder decoder;
  PlanesDecoder planes;
  int found = 0;
  for (const auto& foreign : foreign_images::kAll) {
    const std::string name = foreign.name;
    if (!(name.starts_with("3x1") || name.starts_with("4x") || name.starts_with("2x2,2x1"))) continue;
    ++found;
    auto bytes = foreign_images::bytes_of_hex(foreign.hex);
    const auto expected = name == "4x1,2x1,2x1.jpg" ? Subsampling::S422 : Subsampling::Other;
    EXPECT_EQ(encoding_flags(bytes) & kFlagSubsampling, static_cast<int>(expected)) << name;
    EXPECT_EQ(decoder.check(bytes, 16, 16).width, 16) << name;
    std::vector<std::uint8_t> out(image_bytes(16, PixelFormat::Yuv420));
    planes.decode_into(bytes, 16, PixelFormat::Yuv420, out);
    EXPECT_NEAR(out[0], 0.299 * foreign.red + 0.587 * foreign.green + 0.114 * foreign.blue, 3) << name;
    bytes.resize(bytes.size() - 8);
    EXPECT_THROW(decoder.check(bytes, 16, 16), DataError) << name;
    EXPECT_THROW(planes.decode_into(bytes, 16, PixelFormat::Yuv420, out), DataError) << name;
  }
  EXPECT_EQ(found, 5);
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

TEST(FitSquare, TakesTheMiddleOfAnyShapeAndNeverMuchMemory) {
  const Image wide{4, 2, {9, 9, 9, 1, 1, 1, 2, 2, 2, 9, 9, 9, 9, 9, 9, 3, 3, 3, 4, 4, 4, 9, 9, 9}};
  EXPECT_EQ(fit_square(wide, 2).pixels, (std::vector<std::uint8_t>{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}));
  const Image tall{1, 3, {9, 9, 9, 5, 6, 7, 9, 9, 9}};
  EXPECT_EQ(fit_square(tall, 1).pixels, (std::vector<std::uint8_t>{5, 6, 7}));
  EXPECT_EQ(fit_square(picture(2, 40), 32).pixels, resize(picture(2, 40), 32, 32).pixels);
  const Image line{1'000'000, 1, std::vector<std::uint8_t>(3'000'000, 7)};
  EXPECT_EQ(fit_square(line, 112).pixels, std::vector<std::uint8_t>(112 * 112 * 3, 7));
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
