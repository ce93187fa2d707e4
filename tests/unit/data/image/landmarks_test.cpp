#include "data/image/landmarks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

using testing::HasSubstr;

std::string fault_of(const std::string& text) {
  try {
    Landmarks::parse(text, "points.csv");
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Landmarks, ReadsCelebAsText) {
  const auto points = Landmarks::parse(
      "2\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y \n"
      "000001.jpg 69  109  106  113   77  142   73  152  108  154\n000002.jpg 69  110  107  112   81  135   70  151  108  153\r\n",
      "list");
  EXPECT_EQ(points.size(), 2u);
  EXPECT_FALSE(points.by_index());
  EXPECT_FALSE(points.relative());
  const auto row = points.find("000002.jpg");
  ASSERT_TRUE(row);
  const FacePoints face = points.points(*row, 178, 218);
  EXPECT_EQ(face[0].x, 69);
  EXPECT_EQ(face[2].y, 135);
  EXPECT_EQ(face[4].y, 153);
  EXPECT_EQ(points.find("000003.jpg"), std::nullopt);
}

TEST(Landmarks, ReadsCelebAsCsv) {
  const auto points = Landmarks::parse(
      "image_id,lefteye_x,lefteye_y,righteye_x,righteye_y,nose_x,nose_y,leftmouth_x,leftmouth_y,rightmouth_x,"
      "rightmouth_y\n000001.jpg,69,109,106,113,77,142,73,152,108,154\n",
      "list");
  ASSERT_TRUE(points.find("000001.jpg"));
  EXPECT_EQ(points.points(0, 1, 1)[3].x, 73);
}

TEST(Landmarks, ReadsCvlfacesNumbersInPartsOfTheImage) {
  const auto points = Landmarks::parse(
      "idx,ldmk_0,ldmk_1,ldmk_2,ldmk_3,ldmk_4,ldmk_5,ldmk_6,ldmk_7,ldmk_8,ldmk_9\n"
      "0,0.25000,0.50000,0.75000,0.5,0.5,0.6,0.3,0.8,0.7,0.8\n1,-0.01,0.5,0.75,0.5,0.5,0.6,0.3,0.8,0.7,1."
      "02\n",
      "list");
  EXPECT_TRUE(points.by_index());
  EXPECT_TRUE(points.relative());
  const FacePoints face = points.points(*points.find("0"), 200, 100);
  EXPECT_EQ(face[0].x, 50);
  EXPECT_EQ(face[0].y, 50);
}

TEST(Landmarks, ScoresAreLeftOutAndNamesNeedNoHeader) {
  const auto points = Landmarks::parse("A/1.jpg 1 2 0.9 3 4 0.9 5 6 0.9 7 8 0.9 9 10 0.9\n", "list");
  const FacePoints face = points.points(*points.find("A/1.jpg"), 1, 1);
  EXPECT_EQ(face[1].x, 3);
  EXPECT_EQ(face[4].y, 10);
}

TEST(Landmarks, NamesTheLineThatIsNoFace) {
  const std::string good = "a.jpg 1 2 3 4 5 6 7 8 9 10\n";
  EXPECT_THAT(fault_of(good + "b.jpg 1 2 3\n"),
              testing::AllOf(HasSubstr("points.csv, line 2"), HasSubstr("4 fields")));
  EXPECT_THAT(fault_of(good + "b.jpg 1 2 x 4 5 6 7 8 9 10\n"), HasSubstr("\"x\" is not a number"));
  EXPECT_THAT(fault_of(good + "b.jpg 1 2 nan 4 5 6 7 8 9 10\n"), HasSubstr("\"nan\" is not a number"));
  EXPECT_THAT(fault_of("name,nose_x,nose_y,lefteye_x,lefteye_y,a,b,c,d,e,f\n" + good),
              HasSubstr("other columns"));
  EXPECT_THAT(fault_of(good + good), HasSubstr("twice"));
  EXPECT_THAT(fault_of(""), HasSubstr("no landmarks"));
  EXPECT_THAT(fault_of("202599\n"), HasSubstr("no landmarks"));
}

}  // namespace
}  // namespace facemae
