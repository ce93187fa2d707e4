#include "core/files/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <thread>

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

TEST_F(Files, ALineIsNeverAppendedToATornOne) {
  write_whole(real_files(), folder / "log", "one\ntw");
  append_line_durably(real_files(), folder / "log", "three");
  EXPECT_EQ(read_file(folder / "log"), "one\ntw\nthree\n");
}

TEST_F(Files, AFileSystemThatSyncsNoFoldersIsAsDurableAsItGets) {
  EXPECT_NO_THROW(real_files().sync_folder("/proc"));  // EINVAL
}

TEST_F(Files, TooManyOpenOnesAreToldWithTheLimit) {
  const auto open_one_more = [] {  // _exit, since sanitizers need a descriptor to look at what is destroyed
    const rlimit limit{0, 0};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(2);
    try {
      InputFile("/proc/self/status");
    } catch (const FileError& error) {
      ::_exit(std::string(error.what()).find("ulimit -Hn") != std::string::npos ? 0 : 1);
    }
    ::_exit(2);
  };
  EXPECT_EXIT(open_one_more(), testing::ExitedWithCode(0), "");
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

/// A pipe in the file system that somebody writes `text` into.
std::thread writes(const Path& pipe, const std::string& text) {
  EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  return std::thread([pipe, text] { std::ofstream(pipe) << text; });
}

TEST_F(Files, WhatTheUserNamesIsReadToItsEndAlsoFromAPipe) {
  const std::string text(300000, 'x');  // more than a pipe holds
  std::thread writer = writes(folder / "pipe", text);
  EXPECT_EQ(read_file(folder / "pipe"), text);
  writer.join();
  EXPECT_NE(read_file("/proc/self/status").find("Pid:"), std::string::npos);  // says that it has 0 bytes
  write_durably(real_files(), folder / "empty", "");
  EXPECT_EQ(read_file(folder / "empty"), "");
  EXPECT_EQ(read_file("/dev/null"), "");
  EXPECT_THROW(read_file(folder), FileError);
}

TEST_F(Files, WhatIsFoundIsNeverWaitedFor) {
  ASSERT_EQ(::mkfifo((folder / "pipe.jpg").c_str(), 0600), 0);
  for (const Path& path : {folder / "pipe.jpg", Path("/dev/zero"), Path(folder)}) {
    EXPECT_THROW(read_plain_file(path), FileError) << path;
    try {
      read_bytes(path);
      FAIL() << path;
    } catch (const FileError& error) {
      EXPECT_FALSE(error.may_pass()) << path;
    }
  }
}

TEST_F(Files, AnOutputReplacesFilesAndGoesIntoEverythingElse) {
  write_durably(real_files(), folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  std::filesystem::create_symlink("not-yet", folder / "dangling");
  write_output(real_files(), folder / "link", std::string("new"));
  write_output(real_files(), folder / "dangling", std::string("made"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "target"), "new");
  EXPECT_EQ(read_file(folder / "not-yet"), "made");

  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = read_file(folder / "pipe"); });
  EXPECT_NO_THROW(expect_place_for("json", folder / "pipe"));
  write_output(real_files(), folder / "pipe", std::string("through"));
  reader.join();
  EXPECT_EQ(got, "through");
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));

  write_output(real_files(), "/dev/null", std::string("gone"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_NO_THROW(expect_place_for("json", "/dev/null"));
  EXPECT_THROW(write_output(real_files(), "/dev/full", std::string("x")), FileError);
}

TEST_F(Files, OurOwnStdoutIsWrittenOnWhereItIs) {
  testing::internal::CaptureStdout();  // which makes stdout a plain file
  std::printf("before ");
  write_output(real_files(), "/dev/stdout", std::string("between"));
  std::printf(" after");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "before between after");
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
