#include "data/archives/find_archives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test::why;
using test_images::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

void put(const Path& path) { test_images::put(path, bytes_of(std::string("content"))); }

/// Relative to the folder.
std::vector<std::string> found(const TemporaryFolder& here, const std::vector<Path>& given,
                               ArchiveKind kind = ArchiveKind::Zip) {
  std::vector<std::string> names;
  for (const Path& path : find_archives(given, kind)) names.push_back(path.lexically_relative(here.path()));
  return names;
}

TEST(FindArchives, EndingsCountInAnyCase) {
  TemporaryFolder here;
  for (const char* name : {"a.zip", "b.ZIP", "c.Zip", "d.tar", "e.TAR", "f.Tar.Gz", "g.TGZ", "h.txt", "zip"})
    put(here / "set" / name);
  EXPECT_THAT(found(here, {here / "set"}), ElementsAre("set/a.zip", "set/b.ZIP", "set/c.Zip"));
  EXPECT_THAT(found(here, {here / "set"}, ArchiveKind::Tar),
              ElementsAre("set/d.tar", "set/e.TAR", "set/f.Tar.Gz", "set/g.TGZ"));
}

TEST(FindArchives, FollowsLinksAndCountsEachArchiveOnce) {
  TemporaryFolder here;
  put(here / "other/1.zip");
  put(here / "other/2.zip");
  put(here / "set/0/0.zip");
  fs::create_directory_symlink(here / "other", here / "set/1");
  fs::create_directory_symlink(here / "other", here / "set/2");
  fs::create_directory_symlink(here / "set", here / "set/0/up");  // a loop
  fs::create_symlink(here / "other/1.zip", here / "set/x.zip");
  EXPECT_EQ(found(here, {here / "set"}).size(), 3u);
  EXPECT_EQ(found(here, {here / "set", here / "set", here / "other/2.zip", here / "other"}).size(), 3u);
  EXPECT_THAT(found(here, {here / "other/1.zip", here / "other/1.zip"}), ElementsAre("other/1.zip"));
}

TEST(FindArchives, LeavesOutWhatIsHidden) {
  TemporaryFolder here;
  for (const char* name : {"a.zip", "._a.zip", ".b.zip", "__MACOSX/a.zip", ".Trash/c.zip"})
    put(here / "set" / name);
  EXPECT_THAT(found(here, {here / "set"}), ElementsAre("set/a.zip"));
  EXPECT_THAT(found(here, {here / "set/.Trash"}), ElementsAre("set/.Trash/c.zip")) << "named by the user";
}

TEST(FindArchives, NamesWhatIsNoFileAndDoesNotWaitForIt) {
  TemporaryFolder here;
  put(here / "set/a.zip");
  ASSERT_EQ(::mkfifo((here / "set/pipe.zip").c_str(), 0600), 0);
  EXPECT_THAT(why<ConfigError>([&] { found(here, {here / "set"}); }),
              testing::AllOf(HasSubstr("pipe.zip"), HasSubstr("no plain file")));
  EXPECT_THAT(why<ConfigError>([&] { found(here, {here / "set/pipe.zip"}); }), HasSubstr("no plain file"));
  fs::remove(here / "set/pipe.zip");
  fs::create_symlink(here / "nowhere", here / "set/lost.zip");
  EXPECT_THAT(why<ConfigError>([&] { found(here, {here / "set"}); }),
              testing::AllOf(HasSubstr("lost.zip"), HasSubstr("link to nothing")));
  fs::remove(here / "set/lost.zip");
  fs::create_symlink(here / "nowhere", here / "set/not an archive");
  EXPECT_THAT(found(here, {here / "set"}), ElementsAre("set/a.zip"));
}

TEST(FindArchives, AFolderWithoutArchivesIsRefused) {
  TemporaryFolder here;
  put(here / "set/a.tar");
  EXPECT_THAT(why<ConfigError>([&] { found(here, {here / "set"}); }), HasSubstr("holds none"));
  EXPECT_THAT(why<ConfigError>([&] { found(here, {here / "nowhere"}); }), HasSubstr("does not exist"));
}

}  // namespace
}  // namespace facemae
