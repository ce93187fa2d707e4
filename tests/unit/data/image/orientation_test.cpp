#include "data/image/orientation.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/unit/data/image/encoded_pictures.h"
#include "tests/unit/data/image/foreign_images.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

using namespace encoded_pictures;
using test_images::picture;

/// One letter for each pixel, row by row.
Image of_letters(int width, const std::string& letters) {
  Image image{width, static_cast<int>(letters.size()) / width, {}};
  for (const char letter : letters)
    image.pixels.insert(image.pixels.end(), 3, static_cast<std::uint8_t>(letter));
  return image;
}
std::string letters_of(const Image& image) {
  std::string letters = std::to_string(image.width) + ":";
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) letters += static_cast<char>(image.pixels[i]);
  return letters;
}

TEST(Turned, MakesEachOfTheEightUpright) {
  // An upright F of 2 x 3 pixels, as a camera that was held like that stores it (EXIF 2.3, table 6).
  const std::string upright = "abcdef";  // ab, cd, ef
  EXPECT_EQ(letters_of(turned(of_letters(2, upright), 1)), "2:abcdef");
  EXPECT_EQ(letters_of(turned(of_letters(2, "badcfe"), 2)), "2:abcdef");
  EXPECT_EQ(letters_of(turned(of_letters(2, "fedcba"), 3)), "2:abcdef");
  EXPECT_EQ(letters_of(turned(of_letters(2, "efcdab"), 4)), "2:abcdef");
  EXPECT_EQ(letters_of(turned(of_letters(3, "acebdf"), 5)), "2:abcdef");
  EXPECT_EQ(letters_of(turned(of_letters(3, "bdface"), 6)), "2:abcdef");
  EXPECT_EQ(letters_of(turned(of_letters(3, "fdbeca"), 7)), "2:abcdef");
  EXPECT_EQ(letters_of(turned(of_letters(3, "ecafdb"), 8)), "2:abcdef");
  EXPECT_THROW(turned(of_letters(2, upright), 9), Error);
}

TEST(Orientation, IsReadFromEveryContainerInBothByteOrders) {
  const Encoded jpeg = encode_jpeg(picture(1)), png = encode_png(picture(1));
  Encoded webp;
  for (const auto& foreign : foreign_images::kAll)
    if (foreign.name == std::string("lossless.webp")) webp = foreign_images::bytes_of_hex(foreign.hex);
  for (unsigned orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {false, true}) {
      EXPECT_EQ(orientation_of(with_exif(jpeg, orientation, big_endian)), static_cast<int>(orientation));
      EXPECT_EQ(orientation_of(with_chunks(png, {chunk("eXIf", exif(orientation, big_endian))})),
                static_cast<int>(orientation));
    }
    EXPECT_EQ(orientation_of(webp_with_exif(webp, 16, orientation)), static_cast<int>(orientation));
  }
  const Encoded end(png.end() - 12, png.end());
  EXPECT_EQ(orientation_of(joined({Encoded(png.begin(), png.end() - 12), chunk("eXIf", exif(6)), end})), 6);
  EXPECT_EQ(Decoder().decode_upright(webp_with_exif(webp, 16, 6)).pixels,
            turned(Decoder().decode(webp), 6).pixels);
}

TEST(Orientation, OfTheFirstExifCountsBehindWhateverElseThereIs) {
  const Encoded jpeg = encode_jpeg(picture(1));
  const Encoded xmp = text("http://ns.adobe.com/xap/1.0/");
  EXPECT_EQ(orientation_of(with_app1(with_exif(jpeg, 6), xmp)), 6);
  EXPECT_EQ(orientation_of(with_app1(with_app1(with_exif(jpeg, 8), xmp), xmp)), 8);
  EXPECT_EQ(orientation_of(with_exif(with_exif(jpeg, 3), 6)), 6);
  const Encoded late = joined({Encoded(jpeg.begin(), jpeg.begin() + 20), number(0xFFE1, 2, true),
                               number(2 + 6 + exif(6).size(), 2, true), text(kExifMark), exif(6),
                               Encoded(jpeg.begin() + 20, jpeg.end())});  // behind JFIF's APP0
  EXPECT_EQ(orientation_of(late), 6);
}

TEST(Orientation, OfDamagedOrForeignBlocksIsUpright) {
  const Encoded jpeg = encode_jpeg(picture(1)), good = exif(6);
  EXPECT_EQ(orientation_of(jpeg), 1);
  EXPECT_EQ(orientation_of(encode_png(picture(1))), 1);
  EXPECT_EQ(orientation_of(with_exif(jpeg, 0)), 1);
  EXPECT_EQ(orientation_of(with_exif(jpeg, 9)), 1);
  for (std::size_t length = 0; length < good.size(); ++length) {
    const Encoded cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    const int found = orientation_of(with_app1(jpeg, joined({text(kExifMark), cut})));
    EXPECT_TRUE(found == 1 || (found == 6 && length >= 34)) << length << " " << found;
    orientation_of(Bytes(with_exif(jpeg, 6)).first(length));
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    Encoded bad = good;
    bad[at] = std::byte{0xFF};
    const int found = orientation_of(with_app1(jpeg, joined({text(kExifMark), bad})));
    EXPECT_TRUE(found == 1 || found == 6) << at;
  }
}

TEST(Orientation, TurnsThePictureWhenAskedToAlone) {
  Image wide = picture(3, 48);
  wide.height = 32;
  wide.pixels.resize(pixel_bytes(48, 32));
  const Encoded jpeg = with_exif(encode_jpeg(wide, 97), 6);
  Decoder decoder;
  EXPECT_EQ(decoder.decode(jpeg).width, 48);
  EXPECT_EQ(decoder.header(jpeg).width, 48);
  const Image upright = decoder.decode_upright(jpeg);
  EXPECT_EQ(upright.width, 32);
  EXPECT_EQ(upright.pixels, turned(decoder.decode(jpeg), 6).pixels);
}

}  // namespace
}  // namespace facemae
