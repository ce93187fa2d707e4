#include "trainer/apply/face_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <fstream>

#include "core/error.h"
#include "tests/temporary_folder.h"
#include "tests/why.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FaceFoldersTest : public testing::Test {
 protected:
  const test::TemporaryFolder here;
  void put(const std::string& path) const {
    std::filesystem::create_directories((here / path).parent_path());
    std::ofstream(here / path) << "picture";
  }
  FaceFolders open(IdentityFrom from, bool distractors = true) const {
    return open_face_folders(here / "probe", here / "gallery", distractors ? here / "others" : Path(), from);
  }
};

TEST_F(FaceFoldersTest, TellPeopleByFolderOrByName) {
  for (const auto* path :
       {"probe/7_1.jpg", "probe/12_1.png", "gallery/12_3.jpg", "gallery/7_2_0.jpg", "others/x.jpg"})
    put(path);
  const auto by_name = open(IdentityFrom::Name);
  EXPECT_THAT(by_name.identities, ElementsAre("12", "7", "12", "7"));
  EXPECT_EQ(by_name.images.size, 5U);
  EXPECT_EQ(by_name.distractors, 1U);
  EXPECT_EQ(open(IdentityFrom::Name, false).images.size, 4U);
  EXPECT_THAT(test::why<ConfigError>([&] { open(IdentityFrom::Folder); }), HasSubstr("give --identity name"));
  put("probe/stranger.jpg");
  EXPECT_THAT(test::why<ConfigError>([&] { open(IdentityFrom::Name); }),
              HasSubstr("has no person before a _"));
}

TEST_F(FaceFoldersTest, NeedSomebodyToFind) {
  put("probe/ann/1.jpg");
  put("gallery/bo/1.jpg");
  std::filesystem::create_directory(here / "others");
  EXPECT_THAT(test::why<ConfigError>([&] { open(IdentityFrom::Folder, false); }),
              HasSubstr("look at --identity"));
  EXPECT_THAT(test::why<ConfigError>([&] { open(IdentityFrom::Folder); }), HasSubstr("no picture"));
  put("gallery/ann/1.jpg");
  EXPECT_THAT(open(IdentityFrom::Folder, false).identities, ElementsAre("ann", "ann", "bo"));
  EXPECT_THROW(open_face_folders(here / "nowhere", here / "gallery", {}, IdentityFrom::Folder), ConfigError);
}

TEST_F(FaceFoldersTest, CountTheRankOfTheBestMateAmongAll) {
  FaceFolders folders;
  folders.identities = {"a", "b", "nobody", "a", "a", "b"};
  folders.probes = 3, folders.gallery = 3, folders.distractors = 2;
  // Angles in degrees. Probe a: its mates are at 10 and 90, nobody is nearer than 10. Probe b, at 50: its mate at 100 is
  // behind a's at 10 and 90 and a distractor at 52.
  std::vector<float> rows;
  for (const double degrees : {0.0, 50.0, 200.0, 10.0, 90.0, 100.0, 52.0, 300.0}) {
    const double angle = degrees * 3.14159265358979 / 180;
    rows.push_back(static_cast<float>(3 * std::cos(angle)));
    rows.push_back(static_cast<float>(3 * std::sin(angle)));
  }
  const auto figures = identify(folders, torch::tensor(rows).view({8, 2}));
  EXPECT_EQ(figures.probes, 2U);
  EXPECT_EQ(figures.without_mate, 1U);
  EXPECT_EQ(figures.gallery, 5U);
  ASSERT_EQ(figures.ranks.size(), 3U);
  EXPECT_EQ(figures.ranks[0].rate, 0.5);
  EXPECT_EQ(figures.ranks[1].rank, 5);
  EXPECT_EQ(figures.ranks[1].rate, 1);
}

}  // namespace
}  // namespace facemae
