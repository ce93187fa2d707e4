#include "trainer/images/align_images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/why.h"

namespace facemae {
namespace {

using testing::HasSubstr;

constexpr const char* kPoints = " 40 50 75 50 57 70 42 92 70 92\n";

std::string why_not(const std::string& list, const std::vector<std::string>& paths) {
  return test::why<ConfigError>([&] {
    ImageSet images = images_of(std::vector<Path>(paths.size()), paths);
    align_images(images, Landmarks::parse(list, "points.txt"), paths);
  });
}

TEST(AlignImages, MovesFacesToTheTemplateAsPackDoes) {
  Image picture{150, 150, {}};
  for (int i = 0; i < 150 * 150 * 3; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * 7 % 251));
  const std::vector<std::string> paths = {"ann/1.png", "bo/1.png"};
  ImageSet images = images_of(std::vector<Path>(2), paths);
  const Hash128 before = images.contents;
  align_images(images,
               Landmarks::parse(std::string("bo/1.jpg 0.3 0.3 0.6 0.3 0.45 0.5 0.32 0.7 0.58 0.7\n") +
                                    "ann/1 0.4 0.5 "
                                    "0.75 0.5 0.57 0.7 0.42 0.92 0.7 0.92\n" +
                                    "bo/1 0.3 0.3 0.6 0.3 0.45 0.5 0.32 0.7 "
                                    "0.58 0.7\n",
                                "points.txt"),
               paths);
  EXPECT_NE(images.contents, before) << "what is embedded is another thing";
  Decoder decoder;
  const FacePoints points = {{{60, 75}, {112.5, 75}, {85.5, 105}, {63, 138}, {105, 138}}};
  const Image aligned = as_face(images, 0, encode_png(picture), decoder),
              wanted = align_face(picture, points);
  ASSERT_EQ(aligned.width, 112);
  int apart = 0;
  for (std::size_t i = 0; i < wanted.pixels.size(); ++i)
    apart += std::abs(aligned.pixels[i] - wanted.pixels[i]) > 1;
  EXPECT_EQ(apart, 0) << "landmarks are float32";
}

TEST(AlignImages, RefusesListsThatDoNotCoverTheImages) {
  const std::string line = kPoints;
  EXPECT_EQ(why_not("a/1.jpg" + line + "b/1.jpg" + line, {"a/1.jpg", "b/1.jpg"}), "");
  EXPECT_THAT(why_not("a/1.jpg" + line, {"a/1.jpg", "b/1.jpg", "b/2.jpg"}),
              HasSubstr("has no landmarks of 2 of the 3 images, b/1.jpg for one"));
  EXPECT_THAT(why_not("1.jpg" + line, {"a/1.jpg", "b/1.jpg"}), HasSubstr("fits several images"));
  EXPECT_THAT(why_not("idx,ldmk_0,ldmk_1,ldmk_2,ldmk_3,ldmk_4,ldmk_5,ldmk_6,ldmk_7,ldmk_8,ldmk_9\n"
                      "0,40,50,75,50,57,70,42,92,70,92\n",
                      {"a/1.jpg"}),
              HasSubstr("numbers images"));
}

}  // namespace
}  // namespace facemae
