#include "core/files/owner_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

unsigned mode_of(const Path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
}

TEST(OwnerFiles, AreReadableByTheirOwnerAloneWhateverTheUmask) {
  const test::TemporaryFolder folder;
  const mode_t before = ::umask(0);
  make_folders(owner_files(), folder / "samples/of");
  write_durably(owner_files(), folder / "samples/of/face.png", std::string("a face"));
  write_durably(real_files(), folder / "wide", std::string("old"));
  write_durably(owner_files(), folder / "wide", std::string("new"));
  write_durably(real_files(), folder / "lines", std::string("old\n"));
  append_line_durably(owner_files(), folder / "lines", "new");
  ::umask(before);
  EXPECT_EQ(mode_of(folder / "samples"), 0700U);
  EXPECT_EQ(mode_of(folder / "samples/of"), 0700U);
  EXPECT_EQ(mode_of(folder / "samples/of/face.png"), 0600U);
  EXPECT_EQ(mode_of(folder / "wide"), 0600U);
  EXPECT_EQ(mode_of(folder / "lines"), 0600U);
  EXPECT_EQ(read_file(folder / "lines"), "old\nnew\n");
}

TEST(OwnerFiles, DoNotFollowLinks) {
  const test::TemporaryFolder folder;
  write_durably(real_files(), folder / "elsewhere", std::string("untouched"));
  std::filesystem::create_symlink(folder / "elsewhere", folder / "face.png");
  EXPECT_THROW(owner_files().create(folder / "face.png"), FileError);
  EXPECT_THROW(append_line_durably(owner_files(), folder / "face.png", "a face"), FileError);
  EXPECT_EQ(read_file(folder / "elsewhere"), "untouched");
}

}  // namespace
}  // namespace facemae
