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

TEST(Landmarks, AreReadAsTablesOfAnyProgram) {
  const auto point = [](const std::string& text, const std::string& name, std::size_t number) {
    const auto points = Landmarks::parse(text, "list");
    return points.points(points.find(name).value(), 1, 1).at(number).x;
  };
  EXPECT_EQ(point("\xEF\xBB\xBF"
                  "a.jpg 1 2 3 4 5 6 7 8 9 10\r\n",
                  "a.jpg", 4),
            9);
  EXPECT_EQ(point("a.jpg 1 2 3 4 5 6 7 8 9 10 0.99\n", "a.jpg", 4), 9);  // IJB's name_5pts_score.txt
  EXPECT_EQ(point("\"a, b.jpg\";1;2;3;4;5;6;7;8;9;10", "a, b.jpg", 4), 9);
  EXPECT_EQ(point("some where/a.jpg\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\rb.jpg\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\r",
                  "some where/a.jpg", 4),
            9);
  EXPECT_EQ(point("a.jpg\t1 2 3 4 5 6 7 8 9 10\n", "a.jpg", 4), 9);
  EXPECT_EQ(point("a.jpg 1,2 3,4 5,6 7,8 9,10\n", "a.jpg", 4), 9);
  EXPECT_EQ(point("a.jpg 1,2,.9 3,4,.9 5,6,.9 7,8,.9 9,10,.9\n", "a.jpg", 4), 9);
  EXPECT_EQ(
      point("NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y\n\"n000001/0001_01\",1,2,3,4,5,6,7,8,9,10\n",
            "n000001/0001_01", 4),
      9);  // VGGFace2
  EXPECT_EQ(
      point(
          ",file,score,nose_x,nose_y,left_eye_x,left_eye_y,right_eye_x,right_eye_y,mouth_left_x,mouth_left_y,"
          "mouth_right_x,mouth_right_y\n0,a.jpg,.9,5,6,1,2,3,4,7,8,9,10\n",
          "a.jpg", 4),
      9);
  EXPECT_EQ(
      point(
          "idx,ldmk_0,ldmk_1,ldmk_2,ldmk_3,ldmk_4,ldmk_5,ldmk_6,ldmk_7,ldmk_8,ldmk_9,ldmk_10,ldmk_11,ldmk_12,"
          "ldmk_13,ldmk_14\n0,1,2,.9,3,4,.9,5,6,.9,7,8,.9,9,10,.9\n",
          "0", 4),
      9);
}

TEST(Landmarks, LeftIsLeftInThePicture) {
  EXPECT_THAT(
      fault_of("a.jpg 3 4 1 2 5 6 9 10 7 8\nb.jpg 3 4 1 2 5 6 9 10 7 8\nc.jpg 1 2 3 4 5 6 7 8 9 10\n"),
      testing::AllOf(HasSubstr("2 of 3 lines"), HasSubstr("as seen in the picture")));
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
