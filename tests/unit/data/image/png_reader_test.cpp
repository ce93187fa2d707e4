#include "data/image/png_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <ctime>

#include "core/error.h"
#include "tests/unit/data/image/encoded_pictures.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

using namespace encoded_pictures;
using test::why;
using testing::HasSubstr;

struct Kind {
  int colour, depth, interlace;
  bool transparent;  ///< a tRNS chunk
  double gamma;      ///< 0: no gAMA chunk
};

/// 23 x 11 pixels of noise.
Encoded png_of(const Kind& kind) {
  constexpr png_uint_32 width = 23, height = 11;
  Encoded bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp writer, png_bytep data, std::size_t size) {
        const auto* begin = reinterpret_cast<const std::byte*>(data);
        auto& out = *static_cast<Encoded*>(png_get_io_ptr(writer));
        out.insert(out.end(), begin, begin + size);
      },
      nullptr);
  png_set_IHDR(png, info, width, height, kind.depth, kind.colour, kind.interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  Draws draws(5);
  const auto noise = [&] { return static_cast<png_byte>(draws.below(256)); };
  std::vector<png_color> palette;
  for (int i = 0; kind.colour == PNG_COLOR_TYPE_PALETTE && i < 1 << kind.depth; ++i)
    palette.push_back({noise(), noise(), noise()});
  if (!palette.empty()) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  std::vector<png_byte> alphas{0, 100};
  const png_color_16 hidden{0, 1, 1, 1, 1};
  if (kind.transparent) png_set_tRNS(png, info, alphas.data(), static_cast<int>(alphas.size()), &hidden);
  if (kind.gamma > 0) png_set_gAMA(png, info, kind.gamma);
  png_write_info(png, info);
  std::vector<std::vector<png_byte>> rows(height, std::vector<png_byte>(png_get_rowbytes(png, info)));
  std::vector<png_bytep> pointers;
  for (auto& row : rows) {
    std::ranges::generate(row, noise);
    pointers.push_back(row.data());
  }
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

/// As libpng's simplified reader makes them, which had read PNGs here before PngReader.
std::vector<std::uint8_t> simplified_pixels(const Encoded& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  png_image_begin_read_from_memory(&image, bytes.data(), bytes.size());
  image.format = PNG_FORMAT_RGB;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
  const png_color black{0, 0, 0};
  png_image_finish_read(&image, &black, pixels.data(), 0, nullptr);
  EXPECT_EQ(image.warning_or_error, 0u) << image.message;
  png_image_free(&image);
  return pixels;
}

TEST(PngReader, PixelsOfEveryKindAreThoseOfTheSimplifiedReaderToTheBit) {
  for (const auto& [colour, depths] :
       std::vector<std::pair<int, std::vector<int>>>{{PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}},
                                                     {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}},
                                                     {PNG_COLOR_TYPE_RGB, {8, 16}},
                                                     {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}},
                                                     {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}}})
    for (const int depth : depths)
      for (const int interlace : {PNG_INTERLACE_NONE, PNG_INTERLACE_ADAM7})
        for (const bool transparent : {false, true})
          for (const double gamma : {0.0, 1 / 2.2, 1.0, 0.3}) {
            if (transparent && (colour & PNG_COLOR_MASK_ALPHA) != 0) continue;
            const auto png = png_of({colour, depth, interlace, transparent, gamma});
            const auto pixels = Decoder().decode(png).pixels;
            // Interlaced, it garbles 16 bits: these must be as without interlacing.
            const bool garbled = depth == 16 && interlace == PNG_INTERLACE_ADAM7;
            const auto expected =
                garbled
                    ? Decoder().decode(png_of({colour, depth, PNG_INTERLACE_NONE, transparent, gamma})).pixels
                    : simplified_pixels(png);
            ASSERT_EQ(pixels, expected)
                << colour << " " << depth << " " << interlace << " " << transparent << " " << gamma;
          }
}

TEST(PngReader, FaultsOfChunksThatOnlyDescribeAreBorne) {
  const Encoded plain = encode_png(test_images::picture(3));
  const auto pixels = Decoder().decode(plain).pixels;
  const auto gamma = [](std::uint64_t value) { return chunk("gAMA", number(value, 4, true)); };
  Encoded damaged = chunk("tEXt", text("a b"));
  damaged.back() ^= std::byte{1};
  const std::vector<std::pair<const char*, std::vector<Encoded>>> cases{
      {"a day that is none", {chunk("tIME", number(0x07e00d20193c3d, 7, true))}},
      {"a profile that is none", {chunk("iCCP", text("p..nonsense"))}},
      {"two profiles", {chunk("iCCP", text("p")), chunk("iCCP", text("p"))}},
      {"a background of wrong length", {chunk("bKGD", text("1"))}},
      {"two gammas", {gamma(45455), gamma(45455)}},
      {"no gamma", {gamma(0)}},
      {"a text's checksum", {damaged}},
      {"colours of nothing", {chunk("cHRM", Encoded(32))}},
      {"an empty unit", {chunk("pHYs", {})}},
      {"a histogram without palette", {chunk("hIST", text("ab"))}},
      {"a chunk that nobody knows", {chunk("quUx", text("ab"))}},
      {"nine million letters", {chunk("tEXt", Encoded(9'000'000, std::byte{'a'}))}},
      {"an animation", {chunk("acTL", Encoded(8)), chunk("fcTL", Encoded(26))}}};
  for (const auto& [name, chunks] : cases) {
    Encoded png = with_chunks(plain, chunks);
    EXPECT_EQ(why<DataError>([&] { EXPECT_EQ(Decoder().decode(png).pixels, pixels); }), "") << name;
  }
  Encoded without_end(plain.begin(), plain.end() - 12);
  EXPECT_EQ(Decoder().decode(without_end).pixels, pixels);
}

TEST(PngReader, CompressedTextsAndProfilesAreNeverInflated) {
  std::vector<Bytef> bomb(1 << 20);
  uLongf size = bomb.size();
  const std::vector<Bytef> zeros(32 << 20);
  ASSERT_EQ(compress2(bomb.data(), &size, zeros.data(), zeros.size(), 1), Z_OK);
  const auto* begin = reinterpret_cast<const std::byte*>(bomb.data());
  const Encoded content = joined({text("a"), Encoded(2), Encoded(begin, begin + size)});
  const Encoded plain = encode_png(test_images::picture(3));
  for (const char* type : {"zTXt", "iCCP"}) {
    const auto before = std::clock();
    EXPECT_EQ(Decoder().decode(with_chunks(plain, {chunk(type, content)})).pixels,
              Decoder().decode(plain).pixels);
    EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 50) << type;
  }
}

TEST(PngReader, DamageOfPixelsIsRefused) {
  const Encoded png = encode_png(test_images::picture(3));
  const std::string type = "IDAT";
  const Bytes name = bytes_of(type);
  const auto data = std::search(png.begin(), png.end(), name.begin(), name.end()) - png.begin() + 4;
  const auto last = static_cast<std::ptrdiff_t>(png.size()) - 12 - 1;  // of the checksum of IDAT
  const auto with_flip = [&](std::ptrdiff_t at) {
    Encoded bad = png;
    bad[static_cast<std::size_t>(at)] ^= std::byte{1};
    return why<DataError>([&] { Decoder().decode(bad); });
  };
  EXPECT_THAT(with_flip(last), HasSubstr("IDAT: CRC error"));
  EXPECT_THAT(with_flip(data + 40), HasSubstr("PNG: "));
  EXPECT_THAT(with_flip(8 + 8 + 13), HasSubstr("IHDR: CRC error"));
  for (std::size_t length = 0; length + 12 < png.size(); length += 7)
    EXPECT_THROW(Decoder().decode(Bytes(png).first(length)), DataError) << length;
}

}  // namespace
}  // namespace facemae
