#include "core/files/slice_writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files/output_place.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

TEST(SliceWriter, FillsAFileTogetherWithOthersInAnyOrder) {
  const test::TemporaryFolder here;
  write_whole(real_files(), here / "file", "");
  const std::string large(9 << 20, 'b');
  SliceWriter third(here / "file", 2 + large.size()), first(here / "file", 0), second(here / "file", 2);
  third.write(bytes_of(std::string("cc")));
  third.finish();
  second.write(bytes_of(large));
  first.write(bytes_of(std::string("a")));
  first.write(bytes_of(std::string("a")));
  first.finish();
  second.finish();
  EXPECT_EQ(read_file(here / "file"), "aa" + large + "cc");
}

TEST(SliceWriter, MakesNoFileAndTellsOfAFullDisk) {
  const test::TemporaryFolder here;
  EXPECT_THROW(SliceWriter(here / "missing", 0), FileError);
  EXPECT_FALSE(std::filesystem::exists(here / "missing"));
  SliceWriter full("/dev/full", 0);
  full.write(bytes_of(std::string("a")));
  EXPECT_THROW(full.finish(), FileError);
}

TEST(OutputPlace, TellsWhatIsWrittenIntoFromWhatIsReplaced) {
  const test::TemporaryFolder here;
  ASSERT_EQ(::mkfifo((here / "pipe").c_str(), 0600), 0);
  write_whole(real_files(), here / "file", "x");
  std::filesystem::create_symlink("file", here / "link");
  std::filesystem::create_symlink("nowhere", here / "dangling");
  for (const Path& into : {here / "pipe", Path("/dev/null")}) EXPECT_TRUE(is_written_into(into)) << into;
  for (const Path& replaced : {here / "file", here / "link", here / "dangling", here / "new", here.path()})
    EXPECT_FALSE(is_written_into(replaced)) << replaced;
  EXPECT_EQ(without_links(here / "link"), here / "file");
  EXPECT_EQ(without_links(here / "dangling"), here / "nowhere");
  std::filesystem::create_symlink("loop", here / "loop");
  EXPECT_THROW(without_links(here / "loop"), FileError);
}

}  // namespace
}  // namespace facemae
