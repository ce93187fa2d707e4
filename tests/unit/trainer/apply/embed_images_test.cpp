#include "trainer/apply/embed_images.h"

#include <gtest/gtest.h>

#include "data/image/orientation.h"
#include "data/image/resize.h"
#include "tests/unit/data/image/encoded_pictures.h"

namespace facemae {
namespace {

/// Colours that differ from row to row and column to column.
Image picture(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int value : {2 * x, 3 * y, x + y}) image.pixels.push_back(static_cast<std::uint8_t>(value));
  return image;
}
Image face_of(const std::vector<std::byte>& encoded, bool stored = false) {
  Decoder decoder;
  return as_face({.size = 1, .stored = stored, .read = {}, .name = {}}, 0, encoded, decoder);
}

TEST(AsFace, IsTheMiddleSquareOfTheUprightPictureWhateverItsShape) {
  const Image wide = picture(150, 120);
  EXPECT_EQ(face_of(encode_png(wide)).pixels, fit_square(wide, 112).pixels);
  const auto lying = encoded_pictures::with_chunks(
      encode_png(wide), {encoded_pictures::chunk("eXIf", encoded_pictures::exif(6))});
  EXPECT_EQ(face_of(lying).pixels, fit_square(turned(wide, 6), 112).pixels);
  const Image line{1'000'000, 1, std::vector<std::uint8_t>(3'000'000, 7)};
  EXPECT_EQ(face_of(encode_png(line)).pixels, std::vector<std::uint8_t>(112 * 112 * 3, 7));
}

TEST(AsFace, OfAStoreIsTakenAsItLiesAndNeverChanged) {
  const Image face = picture(112, 112);
  const auto lying = encoded_pictures::with_chunks(
      encode_png(face), {encoded_pictures::chunk("eXIf", encoded_pictures::exif(6))});
  EXPECT_EQ(face_of(lying, true).pixels, face.pixels);
  EXPECT_EQ(face_of(lying, false).pixels, turned(face, 6).pixels);
}

TEST(ImageSet, HeldInMemoryIsKeptWhereItIsEmbedded) {
  std::vector<std::vector<std::byte>> encoded;
  for (std::size_t i = 0; i < 5; ++i) encoded.emplace_back(10 + i);
  const ImageSet images = images_of(std::move(encoded));
  keep_own(images, 1, 2);
  EXPECT_EQ(images.size, 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(images.read(i).size(), i < 2 ? 0 : 10 + i);
}

}  // namespace
}  // namespace facemae
