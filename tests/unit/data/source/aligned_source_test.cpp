#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/error.h"
#include "core/log.h"
#include "data/formats/recordio.h"
#include "data/image/orientation.h"
#include "data/source/source.h"
#include "tests/unit/data/archives/test_archives.h"
#include "tests/unit/data/image/encoded_pictures.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using test_images::picture;
using test_images::put;
using test_images::TemporaryFolder;
using testing::HasSubstr;

/// Five points of a face twice as large as the template, moved by (10, 20).
std::string line_of(const std::string& name, double scale = 2, double width = 1, double height = 1) {
  std::string line = name;
  for (const PicturePoint& point : kArcFaceTemplate)
    line += fmt::format(" {:.4f} {:.4f}", (point.x * scale + 10) / width, (point.y * scale + 20) / height);
  return line + "\n";
}
Image expected_face(const std::vector<std::byte>& encoded) {
  return warp(Decoder().decode(encoded), Similarity{2, 0, 10, 20}.inverse(), 112);
}
double difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}
TEST(AlignedSource, WarpsEachImageByItsPointsAndKeepsNames) {
  TemporaryFolder here;
  const auto jpeg = encode_jpeg(picture(1, 260)), png = encode_png(picture(2, 260));
  put(here / "faces/A/1.jpg", jpeg);
  put(here / "faces/B/2.png", png);
  put(here / "faces/C/3.png", png);
  const auto source =
      aligned_source(folder_source({here / "faces"}),
                     Landmarks::parse(line_of("A/1.jpg") + line_of("2.png") + line_of("absent.jpg") +
                                          line_of("C/3"),  // as VGGFace2 names it
                                      "list"));
  EXPECT_EQ(source->size(), 3u);
  EXPECT_EQ(source->name(1), "B/2.png");
  EXPECT_EQ(source->archives(), 0u);
  EXPECT_LT(difference(Decoder().decode(source->read(0)), expected_face(jpeg)), 3.0);  // encoded once more
  EXPECT_LT(difference(Decoder().decode(source->read(1)), expected_face(png)), 0.2);
  EXPECT_EQ(Decoder().header(source->read(1)).codec, Codec::Png);
  EXPECT_EQ(source->read(2), source->read(1));
}

TEST(AlignedSource, MeasuresPointsInTheUprightPicture) {
  TemporaryFolder here;
  const auto upright = encode_png(picture(2, 260));
  const auto turned_png =
      encoded_pictures::with_chunks(encode_png(turned(picture(2, 260), 8)),  // which 6 takes back
                                    {encoded_pictures::chunk("eXIf", encoded_pictures::exif(6))});
  put(here / "faces/A/1.png", turned_png);
  const auto source =
      aligned_source(folder_source({here / "faces"}), Landmarks::parse(line_of("A/1.png"), "list"));
  const auto aligned = source->read(0);
  EXPECT_LT(difference(Decoder().decode(aligned), expected_face(upright)), 0.2);
  EXPECT_EQ(orientation_of(aligned), 1);
}

TEST(AlignedSource, StreamsArchivesTheSameWay) {
  TemporaryFolder here;
  const auto png = encode_png(picture(2, 260));
  const std::string text(reinterpret_cast<const char*>(png.data()), png.size());
  test_archives::write_archive(here / "faces.zip", "zip",
                               {{"x/A/1.png", text}, {"x/A/2.png", "no image"}, {"x/A/3.png", text}});
  const auto source = aligned_source(zip_source({here / "faces.zip"}, false),
                                     Landmarks::parse(line_of("A/1.png") + line_of("A/2.png"), "list"));
  std::vector<ImageSource::Streamed> images;
  source->stream(0, [&](ImageSource::Streamed image) { images.push_back(std::move(image)); });
  ASSERT_EQ(images.size(), 3u);
  EXPECT_LT(difference(Decoder().decode(images[0].bytes), expected_face(png)), 0.2);
  EXPECT_THAT(images[1].reject, HasSubstr("neither JPEG nor PNG"));
  EXPECT_THAT(images[2].reject, HasSubstr("no landmarks of it in list"));
}

TEST(AlignedSource, NumbersOfCvlfaceCountTheKeysOfARec) {
  TemporaryFolder here;
  const auto png = encode_png(picture(3, 260));
  for (const std::uint64_t first_key : {0, 1}) {  // plain and InsightFace
    std::vector<std::byte> rec;
    const auto add = [&](const ImageRecord& record) {
      const auto bytes = write_record(write_image_record(record));
      rec.insert(rec.end(), bytes.begin(), bytes.end());
    };
    if (first_key == 1) add({.label = 0, .id = 0, .id2 = 0, .labels = {3, 3}, .image = {}});
    for (int i = 0; i < 2; ++i) add({.label = 0, .id = 0, .id2 = 0, .labels = {}, .image = png});
    put(here / "train.rec", rec);
    std::string csv = "idx ldmk_0 ldmk_1 ldmk_2 ldmk_3 ldmk_4 ldmk_5 ldmk_6 ldmk_7 ldmk_8 ldmk_9\n";
    csv += line_of("0", 2, 260, 260) + line_of("1", 1.5, 260, 260);
    const auto source = aligned_source(rec_source(here / "train.rec", false), Landmarks::parse(csv, "list"));
    EXPECT_LT(difference(Decoder().decode(source->read(0)), expected_face(png)), 0.2) << first_key;
    EXPECT_GT(difference(Decoder().decode(source->read(1)), expected_face(png)), 2.0) << first_key;
  }
}

TEST(AlignedSource, ListsThatDoNotFitAreRefused) {
  TemporaryFolder here;
  put(here / "faces/A/1.jpg", encode_jpeg(picture(1)));
  put(here / "faces/B/1.jpg", encode_jpeg(picture(2)));
  const auto attempt = [&](const std::string& list) {
    return why<Error>(
        [&] { aligned_source(folder_source({here / "faces"}), Landmarks::parse(list, "list")); });
  };
  EXPECT_THAT(attempt(line_of("1.jpg")), HasSubstr("fits several images"));
  EXPECT_THAT(attempt(line_of("C/1.jpg")), HasSubstr("landmarks of none of the 2 images"));
  EXPECT_THAT(
      attempt("idx ldmk_0 ldmk_1 ldmk_2 ldmk_3 ldmk_4 ldmk_5 ldmk_6 ldmk_7 ldmk_8 ldmk_9\n" + line_of("0")),
      HasSubstr("packed with --from rec"));
  EXPECT_EQ(attempt(line_of("A/1.jpg")), "");
  // Other ranks than the first do not look through all names.
  EXPECT_EQ(aligned_source(folder_source({here / "faces"}), Landmarks::parse(line_of("1.jpg"), "list"), false)
                ->size(),
            2u);
}

}  // namespace
}  // namespace facemae
