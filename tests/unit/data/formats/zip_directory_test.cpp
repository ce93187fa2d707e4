#include "data/formats/zip_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

using testing::ElementsAre;

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value);
  return text;
}
std::string entry(const std::string& path, int flags = 0, const std::string& extra = "",
                  const std::string& comment = "") {
  return "PK\1\2" + number(0, 4) + number(static_cast<std::uint64_t>(flags), 2) + number(0, 18) +
         number(path.size(), 2) + number(extra.size(), 2) + number(comment.size(), 2) + number(0, 12) + path +
         extra + comment;
}
std::string end_record(std::uint64_t members, std::uint64_t bytes, const std::string& comment = "") {
  return "PK\5\6" + number(0, 4) + number(members, 2) + number(members, 2) + number(bytes, 4) + number(0, 4) +
         number(comment.size(), 2) + comment;
}
std::string end_record_64(std::uint64_t members, std::uint64_t bytes) {
  return "PK\6\6" + number(44, 8) + number(0, 12) + number(members, 8) + number(members, 8) +
         number(bytes, 8) + number(0, 8) + "PK\6\7" + number(0, 16) + end_record(0xffff, 0xffffffff);
}

std::vector<std::string> names_in(const std::string& file) {
  const ZipEnd end =
      find_zip_end(bytes_of(file).last(std::min<std::size_t>(file.size(), kZipTailBytes)), file.size());
  std::vector<std::string> names;
  parse_zip_directory(bytes_of(file).subspan(end.directory_offset, end.directory_bytes), end.members,
                      [&](const ZipMember& member) {
                        names.push_back(std::string(member.path) + (member.encrypted ? " (encrypted)" : ""));
                      });
  return names;
}

TEST(ZipDirectory, ListsNamesBehindAnyContentAndBeforeAComment) {
  const std::string directory =
      entry("A/1.jpg", 0, number(1, 2) + number(3, 2) + "xyz", "a comment") + entry("B/2.jpg", 1);
  for (const std::size_t content : {0, 100, 200000})
    EXPECT_THAT(
        names_in(std::string(content, 'c') + directory + end_record(2, directory.size(), "PK\5\6 comment")),
        ElementsAre("A/1.jpg", "B/2.jpg (encrypted)"));
  EXPECT_TRUE(names_in(end_record(0, 0)).empty());
}

TEST(ZipDirectory, ReadsZip64) {
  const std::string directory = entry("A/1.jpg") + entry("B/2.jpg");
  EXPECT_THAT(names_in("content" + directory + end_record_64(2, directory.size())),
              ElementsAre("A/1.jpg", "B/2.jpg"));
}

TEST(ZipDirectory, TheNameInUtf8CountsWhenThereIsOne) {
  const std::string directory =
      entry("A/#U9762.jpg", 0,
            number(0x7075, 2) + number(5 + 9, 2) + number(1, 1) + number(0, 4) + "A/\xe9\x9d\xa2.jpg");
  EXPECT_THAT(names_in(directory + end_record(1, directory.size())), ElementsAre("A/\xe9\x9d\xa2.jpg"));
}

TEST(ZipDirectory, LengthsBeyondTheFileAreRefused) {
  const std::string directory = entry("A/1.jpg");
  EXPECT_THROW(names_in(directory + end_record(1, directory.size() + 1)), DataError);
  EXPECT_THROW(names_in(directory + end_record(2, directory.size())), DataError);
  EXPECT_THROW(names_in(directory + end_record_64(1, ~0ULL)), DataError);
  EXPECT_THROW(names_in(directory + end_record_64(~0ULL, directory.size())), DataError);
  EXPECT_THROW(names_in(directory + end_record(1, directory.size() - 1)), DataError);
  std::string long_name = directory;
  long_name[28] = '\xff';
  EXPECT_THROW(names_in(long_name + end_record(1, directory.size())), DataError);
}

TEST(ZipDirectory, NoCutOrNoiseDoesMoreThanThrow) {
  const std::string directory = entry("A/1.jpg") + entry("B/2.jpg");
  const std::string whole = directory + end_record_64(2, directory.size());
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_THROW(names_in(whole.substr(0, length)), DataError);
  Draws draws(9);
  int read = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string noisy = whole;
    for (int hits = 1 + static_cast<int>(draws.below(4)); hits > 0; --hits)
      noisy[draws.below(noisy.size())] = static_cast<char>(draws.next());
    try {
      read += names_in(noisy).size() <= noisy.size() ? 1 : 0;
    } catch (const DataError&) {
    }
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace facemae
