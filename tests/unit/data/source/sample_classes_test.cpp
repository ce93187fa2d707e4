#include "data/source/sample_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facemae {
namespace {

using testing::ElementsAre;

/// Members of one archive: NAME for an image, NAME=CONTENT for a label.
void add_archive(SampleClasses& classes, const std::vector<std::string>& members) {
  for (const std::string& member : members) {
    const auto equals = member.find('=');
    if (equals == member.npos) {
      classes.add_image(member);
    } else {
      classes.add_label(member.substr(0, equals), bytes_of(member.substr(equals + 1)));
    }
  }
  classes.end_archive();
}
/// The class of each image.
std::vector<std::string> classes_of(const std::vector<std::string>& members, std::size_t images) {
  SampleClasses classes;
  add_archive(classes, members);
  std::vector<std::string> names;
  if (classes.first_without()) return names;
  for (std::size_t image = 0; image < images; ++image)
    names.push_back(classes.names(classes.width())[classes.class_of(image)]);
  return names;
}

TEST(SampleClasses, LabelsMayComeBeforeOrAfterTheirImages) {
  EXPECT_THAT(classes_of({"0.jpg", "0.cls=7", "1.jpg", "1.cls=12\n"}, 2), ElementsAre("07", "12"));
  EXPECT_THAT(classes_of({"0.cls= 7 ", "0.jpg", "1.cls=12", "1.jpg"}, 2), ElementsAre("07", "12"));
  EXPECT_THAT(classes_of({"0.jpg", "1.jpg", "1.cls=12", "0.cls=007"}, 2), ElementsAre("07", "12"));
}

TEST(SampleClasses, KeysEndAtTheFirstDotOfTheFileName) {
  EXPECT_THAT(classes_of({"0.left.jpg", "0.right.png", "0.jpeg", "0.cls=1"}, 3), ElementsAre("1", "1", "1"));
  EXPECT_THAT(classes_of({"v1.0/a/0.jpg", "v1.0/a/0.cls=1", "v1.0/a/1.jpg", "v1.0/a/1.cls=2"}, 2),
              ElementsAre("1", "2"));
}

TEST(SampleClasses, ClsCountsBeforeJson) {
  EXPECT_THAT(classes_of({R"(0.json={"label": 3})", "0.jpg", R"(1.json={"class": "4", "caption": "x"})",
                          "1.jpg", R"(2.json={"identity": "Zoe"})", "2.jpg"},
                         3),
              ElementsAre("3", "4", "Zoe"));
  EXPECT_THAT(classes_of({"0.cls=1", R"(0.json={"label": 3})", "0.jpg"}, 1), ElementsAre("1"));
  EXPECT_THAT(classes_of({R"(0.json={"label": 3})", "0.cls=1", "0.jpg"}, 1), ElementsAre("1"));
  EXPECT_THAT(classes_of({R"(0.json={"caption": "a face"})", "0.cls=1", "0.jpg"}, 1), ElementsAre("1"));
}

TEST(SampleClasses, WhatIsNoClassNumberGivesNoClass) {
  for (const char* label : {"0.cls=", "0.cls=-1", "0.cls=1.5", "0.cls=one", "0.cls=1234567890123456789",
                            "0.json={", "0.json=3", R"(0.json={"label": -1})", R"(0.json={"label": null})",
                            R"(0.json={"label": 1.5})", "1.cls=1", "x/0.cls=1", "0cls=1"})
    EXPECT_TRUE(classes_of({"0.jpg", label}, 1).empty()) << label;
}

TEST(SampleClasses, EndingsCountInAnyCase) {
  EXPECT_THAT(classes_of({"0.JPG", "0.CLS=7"}, 1), ElementsAre("7"));
  EXPECT_FALSE(SampleClasses::is_label("cls"));
  EXPECT_FALSE(SampleClasses::is_label("0.jpg"));
}

TEST(SampleClasses, SaysWhenAClassLiesInSeveralFolders) {
  SampleClasses classes;
  add_archive(classes, {"s/0.jpg", "s/0.cls=3"});
  add_archive(classes, {"t/0.jpg", "t/0.cls=3"});
  EXPECT_EQ(classes.scattered(), "") << "archives count by themselves";
  add_archive(classes, {"u/0.jpg", "u/0.cls=3", "v/0.jpg", "v/0.cls=3"});
  EXPECT_EQ(classes.scattered(), "class 3 in u/ and v/");
  EXPECT_FALSE(classes.needed());
}

TEST(SampleClasses, ASampleEndsWithItsArchive) {
  SampleClasses classes;
  add_archive(classes, {"0.cls=3", "0.jpg", "1.jpg"});
  add_archive(classes, {"1.cls=4"});
  EXPECT_EQ(classes.first_without(), 1u);
}

TEST(SampleClasses, FoldersAreIdentitiesUnlessTheyAreMixed) {
  const auto needed = [](const std::vector<std::vector<std::string>>& archives) {
    SampleClasses classes;
    for (const auto& members : archives) add_archive(classes, members);
    return classes.needed();
  };
  EXPECT_FALSE(needed({{"A/0.jpg", "A/1.jpg", "B/0.jpg"}}));
  EXPECT_FALSE(needed({{"A/0.jpg", "A/0.cls=0", "A/1.jpg", "A/1.cls=0", "B/2.jpg", "B/2.cls=1"}}));
  EXPECT_FALSE(needed({{"A/0.jpg", "A/0.cls=0"}, {"A/1.jpg", "A/1.cls=1"}})) << "each store counts by itself";
  EXPECT_TRUE(needed({{"A/0.jpg", "A/0.cls=0", "A/1.jpg", "A/1.cls=1"}}));
  EXPECT_TRUE(needed({{"0.jpg"}}));
}

}  // namespace
}  // namespace facemae
