#include "data/formats/image_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "core/error.h"
#include "tests/temporary_folder.h"
#include "tests/why.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test::why;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

void touch_file(const Path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path).put('x');
}
struct Walked {
  std::set<std::string> folders, images;
  std::string left_out;
};
Walked walked(const Path& root) {
  Walked found;
  LeftOut left_out;
  walk_images(root, left_out,
              {.folder = [&](const auto& folder) { found.folders.insert(folder); },
               .image = [&](const auto& image) { found.images.insert(image); }});
  found.left_out = left_out.summary();
  return found;
}

TEST(ImageWalk, VisitsImagesAndCountsTheRest) {
  const test::TemporaryFolder here;
  for (const char* file :
       {"ann/1.jpg", "ann/2.JPG", "ann/video/3.Png", "top.jpeg", ".git/x.jpg", "__MACOSX/ann/1.jpg",
        "ann/._1.jpg", "ann/Thumbs.db", "ann/4.heic", "ann/5.HEIC", "ann/notes.txt", "ann/README"})
    touch_file(here / file);
  const auto found = walked(here.path());
  EXPECT_THAT(found.images, ElementsAre("ann/1.jpg", "ann/2.JPG", "ann/video/3.Png", "top.jpeg"));
  EXPECT_THAT(found.folders, ElementsAre("ann", "ann/video"));
  const std::string place = here.path().string();
  EXPECT_EQ(found.left_out.find("2 .heic file(s) (" + place + "/ann/4.heic for one)"), 0u) << found.left_out;
  const std::vector<std::string> parts = {"1 hidden folder(s) (" + place + "/.git",
                                          "1 folder(s) of the system (" + place + "/__MACOSX",
                                          "1 hidden file(s) (" + place + "/ann/._1.jpg",
                                          "1 file(s) of the system",
                                          "1 .txt file(s)",
                                          "1 file(s) without ending"};
  for (const auto& part : parts) EXPECT_THAT(found.left_out, HasSubstr(part));
  EXPECT_THAT(walked(here / "ann/video").left_out, IsEmpty());
}

TEST(ImageWalk, FollowsLinksAndEndsInLoops) {
  const test::TemporaryFolder here;
  touch_file(here / "else/where/1.jpg");
  fs::create_directories(here / "root/bob");
  fs::create_directory_symlink("../else/where", here / "root/ann");
  fs::create_directory_symlink("..", here / "root/bob/up");
  fs::create_directory_symlink("../bob", here / "root/bob/self");
  fs::create_symlink("loop", here / "root/bob/loop");
  fs::create_symlink("nowhere", here / "root/bob/gone.jpg");
  ASSERT_EQ(::mkfifo((here / "root/bob/pipe.jpg").c_str(), 0600), 0);
  const auto found = walked(here / "root");
  EXPECT_THAT(found.images, ElementsAre("ann/1.jpg", "bob/gone.jpg", "bob/pipe.jpg"));
  EXPECT_THAT(found.left_out, HasSubstr("2 link(s) back to a folder above"));
}

TEST(ImageWalk, NamesAFolderThatItCannotList) {
  const test::TemporaryFolder here;
  touch_file(here / "file");
  EXPECT_THAT(why<ConfigError>([&] { walked(here / "file"); }), HasSubstr("not a folder"));
  EXPECT_THAT(why<ConfigError>([&] { walked(here / "nowhere"); }), HasSubstr("nowhere"));
}

TEST(LeftOut, StaysShortWithManyKinds) {
  LeftOut left_out;
  for (int i = 0; i < 200; ++i) left_out.add_file("a.x" + std::to_string(i));
  left_out.add_file("a.gif");
  EXPECT_EQ(left_out.summary().find("other(s)"), left_out.summary().size() - 8);
  EXPECT_LT(left_out.summary().size(), 400u);
}

}  // namespace
}  // namespace facemae
