#include "data/image/bmp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/unit/data/image/encoded_pictures.h"
#include "tests/why.h"

namespace facemae {
namespace {

using namespace encoded_pictures;
using test::why;
using testing::HasSubstr;
using Pixels = std::vector<std::uint8_t>;

Encoded raw(const std::vector<int>& values) {
  Encoded bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}
Pixels pixels_of(const Encoded& bytes) { return Decoder().decode(bytes).pixels; }
std::string fault_of(const Encoded& bytes) {
  return why<DataError>([&] { Decoder().decode(bytes); });
}

/// Red and green above blue and white.
const Pixels kFour{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
/// Blue, green, red and white of a palette, whose entries end in a byte that means nothing.
const Encoded kPalette = raw({255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 255, 255, 255, 0});

TEST(Bmp, OfEveryDepthHasItsPixels) {
  const Encoded upper = raw({0, 0, 255, 0, 255, 0, 0, 0}), lower = raw({255, 0, 0, 255, 255, 255, 0, 0});
  EXPECT_EQ(pixels_of(bmp(2, 2, 24, 0, {}, {}, joined({lower, upper}))), kFour);
  EXPECT_EQ(pixels_of(bmp(2, -2, 24, 0, {}, {}, joined({upper, lower}))), kFour);  // from the top
  EXPECT_EQ(
      pixels_of(bmp(2, 2, 32, 0, {}, {}, raw({255, 0, 0, 9, 255, 255, 255, 9, 0, 0, 255, 9, 0, 255, 0, 9}))),
      kFour);
  EXPECT_EQ(pixels_of(bmp(2, 2, 16, 0, {}, {}, raw({0x1F, 0, 0xFF, 0x7F, 0, 0x7C, 0xE0, 3}))), kFour);
  const Encoded masks565 =
      joined({number(0xF800, 4, false), number(0x7E0, 4, false), number(0x1F, 4, false)});
  EXPECT_EQ(pixels_of(bmp(2, 2, 16, 3, masks565, {}, raw({0x1F, 0, 0xFF, 0xFF, 0, 0xF8, 0xE0, 7}))), kFour);
  EXPECT_EQ(pixels_of(bmp(2, 2, 8, 0, {}, kPalette, raw({0, 3, 0, 0, 2, 1, 0, 0}))), kFour);
  EXPECT_EQ(pixels_of(bmp(2, 2, 4, 0, {}, kPalette, raw({0x03, 0, 0, 0, 0x21, 0, 0, 0}))), kFour);
  EXPECT_EQ(pixels_of(bmp(2, 1, 1, 0, {}, kPalette, raw({0x40, 0, 0, 0}))), (Pixels{0, 0, 255, 0, 255, 0}));
  EXPECT_EQ(pixels_of(bmp(1, 1, 8, 0, {}, kPalette, raw({9, 0, 0, 0}))), (Pixels{0, 0, 0}))
      << "a colour beyond the palette";
  const Encoded os2 = joined({text("BM"), number(0, 8, false), number(38, 4, false), number(12, 4, false),
                              raw({2, 0, 1, 0, 1, 0, 8, 0}), raw({255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9}),
                              raw({2, 1, 0, 0})});
  EXPECT_EQ(pixels_of(os2), (Pixels{255, 0, 0, 0, 255, 0}));
}

TEST(Bmp, RunsAreUnrolled) {
  const Encoded end = raw({0, 0, 0, 1});
  const Encoded eight =
      joined({raw({1, 0, 1, 3, 0, 0, 0, 3, 2, 1, 0, 0}), end});  // the last ones as they are
  EXPECT_EQ(pixels_of(bmp(3, 2, 8, 1, {}, kPalette, eight)),
            (Pixels{255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255, 255, 255, 255, 0, 0, 255}));
  const Encoded four = joined({raw({2, 0x03, 0, 0, 2, 0x21}), end});
  EXPECT_EQ(pixels_of(bmp(2, 2, 4, 2, {}, kPalette, four)), kFour);
  const Encoded jump = joined({raw({0, 2, 1, 1, 1, 1}), end});
  EXPECT_EQ(pixels_of(bmp(2, 2, 8, 1, {}, kPalette, jump)),
            (Pixels{0, 0, 255, 0, 255, 0, 0, 0, 255, 0, 0, 255}));
  EXPECT_THAT(fault_of(bmp(2, 2, 8, 1, {}, kPalette, raw({3, 0}))), HasSubstr("leaves the picture"));
  EXPECT_THAT(fault_of(bmp(2, 2, 8, 1, {}, kPalette, raw({0, 2, 200, 200, 1, 1}))),
              HasSubstr("leaves the picture"));
  EXPECT_THAT(fault_of(bmp(2, 2, 8, 1, {}, kPalette, raw({2, 0, 0, 0}))), HasSubstr("ends within"));
  EXPECT_THAT(fault_of(bmp(2, 2, 8, 1, {}, kPalette, raw({0, 1}))), HasSubstr("ends within"));
}

TEST(Bmp, WhatIsCutOrUnknownIsRefused) {
  const Encoded whole = bmp(3, 3, 24, 0, {}, {}, Encoded(36));
  EXPECT_EQ(fault_of(whole), "");
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(fault_of(Encoded(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length))), "")
        << length;
  EXPECT_THAT(fault_of(bmp(10, 10, 0, 5, {}, {}, Encoded(400))), HasSubstr("compression 5"));
  EXPECT_THAT(fault_of(bmp(10, 10, 3, 0, {}, {}, Encoded(400))), HasSubstr("3 bits per pixel"));
  EXPECT_THAT(fault_of(bmp(100, -(1LL << 31), 24, 0, {}, {}, Encoded(400))), HasSubstr("is not accepted"));
  EXPECT_THAT(fault_of(bmp(0, 10, 24, 0, {}, {}, Encoded(400))), HasSubstr("is not accepted"));
}

}  // namespace
}  // namespace facemae
