#include "data/release/private_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using test::TemporaryFolder;

unsigned mode_of(const Path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
}

/// Why the folder is refused; "" when it is not.
std::string refusal_of(const Path& folder) {
  try {
    PrivateFolder open(folder);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(PrivateFolder, IsMadeClosedAndGoesWhenItStaysEmpty) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(0);
  {
    PrivateFolder open(folder / "a/hidden/");
    EXPECT_EQ(mode_of(folder / "a/hidden"), 0700U);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "a/hidden"));
  {
    PrivateFolder open(folder / "hidden");
    open.write("ledger.jsonl", std::string("a line\n"));
    open.write("ledger.jsonl", std::string("another\n"));
  }
  ::umask(before);
  EXPECT_EQ(mode_of(folder / "hidden/ledger.jsonl"), 0600U);
  EXPECT_EQ(read_file(folder / "hidden/ledger.jsonl"), "another\n");
  EXPECT_FALSE(std::filesystem::exists(folder / "hidden/lock"));
  EXPECT_EQ(refusal_of(folder / "hidden"), "");
}

TEST(PrivateFolder, MustNeverHaveBeenOpenToOthers) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0777U, 0770U, 0755U, 0701U, 0500U}) {
    ASSERT_EQ(::mkdir((folder / "wide").c_str(), 0700), 0);
    ASSERT_EQ(::chmod((folder / "wide").c_str(), mode), 0);
    EXPECT_NE(refusal_of(folder / "wide").find("has mode"), std::string::npos) << mode;
    EXPECT_EQ(mode_of(folder / "wide"), mode) << "it is not touched";
    std::filesystem::remove(folder / "wide");
  }
}

TEST(PrivateFolder, RefusesWhatSomebodyMayHavePlanted) {
  const TemporaryFolder folder;
  write_durably(real_files(), folder / "world", std::string());
  const auto planted = [&](const auto& plant) {
    std::filesystem::remove_all(folder / "hidden");
    ::mkdir((folder / "hidden").c_str(), 0700);
    plant(folder / "hidden");
    std::string told = refusal_of(folder / "hidden");
    EXPECT_EQ(read_file(folder / "world"), "");
    return told;
  };
  EXPECT_NE(planted([&](const Path& hidden) {
              std::filesystem::create_symlink(folder / "world", hidden / "link.h5.tmp");
            }).find("symbolic link"),
            std::string::npos);
  EXPECT_NE(planted([&](const Path& hidden) {
              std::filesystem::create_symlink(folder / "nowhere", hidden / "ledger.jsonl");
            }).find("symbolic link"),
            std::string::npos);
  EXPECT_NE(planted([&](const Path& hidden) {
              std::filesystem::create_hard_link(folder / "world", hidden / "link.h5");
            }).find("second name"),
            std::string::npos);
  EXPECT_NE(planted([&](const Path& hidden) {
              std::filesystem::create_directory(hidden / "link.h5");
            }).find("does not belong to a release"),
            std::string::npos);
  EXPECT_NE(planted([&](const Path& hidden) {
              write_whole(real_files(), hidden / "notes.txt", "mine");
            }).find("notes.txt"),
            std::string::npos);
  EXPECT_NE(planted([&](const Path& hidden) {
              write_whole(real_files(), hidden / "link.h5", "somebody's");
              if (::chown((hidden / "link.h5").c_str(), 65534, 65534) != 0)  // only root can plant this one
                write_whole(real_files(), hidden / "of another user", "");
            }).find("of another user"),
            std::string::npos);
  std::filesystem::remove_all(folder / "hidden");
  std::filesystem::create_symlink(folder / "gone", folder / "hidden");
  EXPECT_NE(refusal_of(folder / "hidden"), "");
}

TEST(PrivateFolder, StaysTheFolderThatWasCheckedWhenItsPathBecomesAnother) {
  const TemporaryFolder folder;
  PrivateFolder open(folder / "hidden");
  std::filesystem::rename(folder / "hidden", folder / "moved");  // by whoever may write in the folder above
  std::filesystem::create_directory(folder / "theirs");
  std::filesystem::create_directory_symlink(folder / "theirs", folder / "hidden");
  open.write("secret-1.json", std::string("the key"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "theirs"));
  EXPECT_EQ(read_file(folder / "moved/secret-1.json"), "the key");
}

TEST(PrivateFolder, NeverWritesThroughALinkThatAppearsLater) {
  const TemporaryFolder folder;
  PrivateFolder open(folder / "hidden");
  write_durably(real_files(), folder / "world", std::string());
  std::filesystem::create_symlink(folder / "world", folder / "hidden/link.h5.tmp");
  open.create("link.h5.tmp")->write(bytes_of(std::string("a link")));
  std::filesystem::create_symlink(folder / "world", folder / "hidden/ledger.jsonl");
  open.write("ledger.jsonl", std::string("a line\n"));
  EXPECT_EQ(read_file(folder / "world"), "");
  EXPECT_EQ(read_file(folder / "hidden/ledger.jsonl"), "a line\n");
}

TEST(PrivateFolder, LetsNoTemporaryFileLieInThePresentFolder) {
  const TemporaryFolder folder;
  const Path before = std::filesystem::current_path();
  std::filesystem::create_directory(folder / "present");
  std::filesystem::current_path(folder / "present");
  PrivateFolder open(folder / "hidden");
  open.write("secret-1.json", std::string("the key"));
  EXPECT_THROW(write_durably(open, "secret-2.json", std::string("by a bare name")), Error);
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_empty(folder / "present"));
  EXPECT_FALSE(open.has("secret-2.json"));
}

TEST(PrivateFolder, ClosesWhatAnOlderVersionLeftReadable) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkdir((folder / "hidden").c_str(), 0700), 0);
  write_whole(real_files(), folder / "hidden/ledger.jsonl", "");
  ASSERT_EQ(::chmod((folder / "hidden/ledger.jsonl").c_str(), 0644), 0);
  PrivateFolder open(folder / "hidden");
  EXPECT_EQ(mode_of(folder / "hidden/ledger.jsonl"), 0600U);
}

TEST(PrivateFolder, BelongsToOneProcessAtATime) {
  const TemporaryFolder folder;
  PrivateFolder open(folder / "hidden");
  try {
    PrivateFolder second(folder / "hidden");
    FAIL() << "two at once";
  } catch (const Unresumable& error) {
    EXPECT_NE(std::string(error.what()).find(std::to_string(::getpid())), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find((folder / "hidden").string()), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace facemae
