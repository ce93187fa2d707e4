#include "core/files.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "core/error.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

class Files : public testing::Test {
 protected:
  const test::TemporaryFolder temporary;
  const Path folder = temporary.path();
};

TEST_F(Files, ADurableWriteReplacesTheWholeFile) {
  write_durably(real_files(), folder / "a", "first and long");
  write_durably(real_files(), folder / "a", "second");
  EXPECT_EQ(read_file(folder / "a"), "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "a temporary is left";
}

/// Fails every write: a full disk.
class FullDisk final : public FileSystem {
 public:
  class Output final : public OutputFile {
    void write(Bytes) override { throw FileError("writing", ENOSPC); }
    void sync() override {}
    void close() override {}
  };
  std::unique_ptr<OutputFile> create(const Path&) override { return std::make_unique<Output>(); }
  std::unique_ptr<OutputFile> open_append(const Path&) override { return std::make_unique<Output>(); }
  void rename(const Path&, const Path&) override { renamed = true; }
  void remove(const Path&) override {}
  void make_folder(const Path&) override {}
  void sync_folder(const Path&) override {}
  bool renamed = false;
};

TEST_F(Files, AFailedWriteNeverReachesTheFinalName) {
  FullDisk disk;
  try {
    write_durably(disk, folder / "a", "text");
    FAIL() << "a full disk went unnoticed";
  } catch (const FileError& error) {
    EXPECT_EQ(error.code(), ENOSPC);
  }
  EXPECT_FALSE(disk.renamed);
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "a temporary is left";
}

TEST_F(Files, LinesAreAppended) {
  append_line_durably(real_files(), folder / "log", "one");
  append_line_durably(real_files(), folder / "log", "two");
  EXPECT_EQ(read_file(folder / "log"), "one\ntwo\n");
}

TEST_F(Files, MissingFoldersAreMade) {
  make_folders(real_files(), folder / "x" / "y" / "z");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "x" / "y" / "z"));
}

TEST_F(Files, APlaceForAResultIsAFileThatCanBeMade) {
  write_durably(real_files(), folder / "there", "1");
  for (const Path& fine : {Path(), folder / "new", folder / "there", Path("new-in-the-working-folder")})
    EXPECT_NO_THROW(expect_place_for("out", fine)) << fine;
  for (const Path& wrong : {folder / "missing" / "new", folder / "there" / "new", Path(folder)})
    EXPECT_THROW(expect_place_for("out", wrong), ConfigError) << wrong;
}

TEST_F(Files, AShortReadIsAnErrorThatNamesTheFile) {
  write_durably(real_files(), folder / "short", "12345");
  const InputFile file(folder / "short");
  std::array<std::byte, 8> buffer{};
  try {
    file.read_at(2, buffer);
    FAIL() << "a short read went unnoticed";
  } catch (const FileError& error) {
    EXPECT_NE(std::string(error.what()).find("short"), std::string::npos);
  }
  EXPECT_THROW(InputFile(folder / "missing"), FileError);
}

}  // namespace
}  // namespace facemae
