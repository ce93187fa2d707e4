#include "evaluation/ijb/ijb_meta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/why.h"

namespace facemae {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kScores =
    "1.jpg 30.5 40 70 40 50 60 35 80 65 80 0.9\n2.jpg 1 2 3 4 5 6 7 8 9 10 1\nsub/3.jpg 1 2 3 4 5 6 7 8 9 10 0.25\n";
const std::string kMedia = "1.jpg 70 1\n2.jpg 20 2\nsub/3.jpg 70 3\n";

IjbFaces faces_of(const std::string& scores = kScores, const std::string& media = kMedia) {
  return read_ijb_faces(TextLines(scores, "scores.txt"), TextLines(media, "media.txt"));
}
std::string why_faces(const std::string& scores, const std::string& media) {
  return test::why<DataError>([&] { faces_of(scores, media); });
}
std::string why_pairs(const std::string& pairs) {
  return test::why<DataError>([&] { read_ijb_pairs(TextLines(pairs, "pairs.txt"), faces_of()); });
}
IjbSearch search_of(const std::string& first, const std::string& second, const std::string& probes) {
  std::vector<TextLines> galleries;
  galleries.emplace_back(first, "one.csv");
  galleries.emplace_back(second, "two.csv");
  return read_ijb_search(std::move(galleries), TextLines(probes, "probes.csv"), faces_of());
}

TEST(IjbMeta, KeepsTheOrderOfTheFacesAndNumbersTemplatesByTheirIds) {
  const IjbFaces faces = faces_of();
  EXPECT_THAT(faces.names, ElementsAre("1.jpg", "2.jpg", "sub/3.jpg"));
  EXPECT_THAT(faces.template_ids, ElementsAre(20, 70));
  EXPECT_THAT(faces.templates, ElementsAre(1, 0, 1));
  EXPECT_THAT(faces.media, ElementsAre(1, 2, 3));
  EXPECT_THAT(faces.scores, ElementsAre(0.9F, 1, 0.25F));
  EXPECT_EQ(faces.points[0][0].x, 30.5);
  EXPECT_EQ(faces.points[0][4].y, 80);
  const IjbPairs pairs = read_ijb_pairs(TextLines("70 20 0\r\n20 20 1\r\n", "pairs.txt"), faces);
  EXPECT_THAT(pairs.first, ElementsAre(1, 0));
  EXPECT_THAT(pairs.second, ElementsAre(0, 0));
  EXPECT_THAT(pairs.same, ElementsAre(0, 1));
}

TEST(IjbMeta, RefusesListsThatDoNotGoTogetherWithTheirLines) {
  EXPECT_THAT(why_faces(kScores, "1.jpg 70 1\n2.jpg 20 2\n"),
              AllOf(HasSubstr("scores.txt, line 3 has no counterpart"), HasSubstr("media.txt, line 2")));
  EXPECT_THAT(why_faces("1.jpg 1 2 3 4 5 6 7 8 9 10 1\n", kMedia),
              HasSubstr("media.txt, line 2 has no counterpart"));
  EXPECT_THAT(why_faces(kScores, "1.jpg 70 1\n3.jpg 20 2\nsub/3.jpg 70 3\n"),
              AllOf(HasSubstr("media.txt, line 2 names 3.jpg"), HasSubstr("scores.txt, line 2 names 2.jpg")));
  EXPECT_THAT(why_faces("1.jpg 1 2 3 4 5 6 7 8 9 10\n", "1.jpg 70 1\n"), HasSubstr("scores.txt, line 1"));
  EXPECT_THAT(why_faces("1.jpg 1 2 3 4 x 6 7 8 9 10 1\n", "1.jpg 70 1\n"),
              HasSubstr("\"x\" is not a coordinate"));
  EXPECT_THAT(why_faces("1.jpg 1 2 3 4 5 6 7 8 9 10 nan\n", "1.jpg 70 1\n"),
              HasSubstr("\"nan\" is not a score"));
  EXPECT_THAT(why_faces("1.jpg 1 2 3 4 5 6 7 8 9 10 1 1\n", "1.jpg 70 1\n"), HasSubstr("more words"));
  EXPECT_THAT(why_faces("1.jpg 1 2 3 4 5 6 7 8 9 10 1\n", "1.jpg 70.5 1\n"),
              HasSubstr("is not a whole number"));
  EXPECT_THAT(why_faces("", "\n"), HasSubstr("no faces"));
}

TEST(IjbMeta, RefusesPairsOfTemplatesWithoutFacesAndOfOneKind) {
  EXPECT_THAT(why_pairs("70 20 0\n70 21 1\n"), HasSubstr("pairs.txt, line 2: template 21 has no face"));
  EXPECT_THAT(why_pairs("70 20 2\n"), HasSubstr("line 1: \"2\" is not 0 or 1"));
  EXPECT_THAT(why_pairs("70 20\n"), HasSubstr("line 1: \"\" is not 0 or 1"));
  EXPECT_THAT(why_pairs("70 20 1 5\n"), HasSubstr("more words"));
  EXPECT_THAT(why_pairs("70 20 1\n70 20 1\n"), HasSubstr("of 2 pairs 2 are of the same person"));
  EXPECT_THAT(why_pairs(""), HasSubstr("of 0 pairs"));
}

TEST(IjbMeta, FindsTheMateOfEachProbe) {
  const auto search =
      search_of("TEMPLATE,SUBJECT\n70,a\n70,a\n", "template_id,subject_id,file\n20,b,img/1.png\n",
                "TEMPLATE,SUBJECT\n20,a\n70,b\n20,a\n");
  EXPECT_THAT(search.gallery, ElementsAre(1, 0));
  EXPECT_THAT(search.probes, ElementsAre(0, 1)) << "a template that several lines name is one";
  EXPECT_THAT(search.mates, ElementsAre(0, 1));
}

TEST(IjbMeta, RefusesProbesWithoutOneMate) {
  const auto why = [](const std::string& first, const std::string& second, const std::string& probes) {
    return test::why<DataError>([&] { search_of(first, second, probes); });
  };
  const std::string head = "TEMPLATE,SUBJECT\n";
  EXPECT_THAT(why(head + "70,a\n", head + "20,b\n", head + "20,c\n"),
              HasSubstr("probes.csv, line 2: person c is in no"));
  EXPECT_THAT(why(head + "70,a\n", head + "20,a\n", head + "20,a\n"),
              HasSubstr("two.csv, line 2: person a is in the"));
  EXPECT_THAT(why(head + "70,a\n70,b\n", head + "20,a\n", head),
              HasSubstr("one.csv, line 3: the template is of"));
  EXPECT_THAT(why("70,a\n", head, head), HasSubstr("a heading TEMPLATE,SUBJECT"));
  EXPECT_THAT(why(head + "71,a\n", head, head), HasSubstr("one.csv, line 2: template 71"));
  EXPECT_THAT(why(head + "70\n", head, head), HasSubstr("one.csv, line 2: a template and its person"));
  EXPECT_THAT(why(head, head, head), HasSubstr("no templates"));
}

}  // namespace
}  // namespace facemae
