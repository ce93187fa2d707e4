#include "core/files/text_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "core/error.h"
#include "tests/temporary_folder.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> all_lines(TextLines lines) {
  std::vector<std::string> found;
  for (std::string_view line; lines.next(line);) found.emplace_back(line);
  return found;
}
std::vector<std::string> split_lines(std::string_view text) { return all_lines(TextLines(text, "text")); }
std::string text_fault(std::string_view text) {
  return why<DataError>([&] { split_lines(text); });
}

TEST(TextLines, EndAsAnyProgramWritesThem) {
  EXPECT_THAT(split_lines("a\nb\n"), ElementsAre("a", "b"));
  EXPECT_THAT(split_lines("a\r\nb\r\n\r\nc"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split_lines("a\rb\r\rc\r"), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split_lines("\xEF\xBB\xBFpath,label\r\n"), ElementsAre("path,label"));
  EXPECT_THAT(split_lines(" a \t\n"), ElementsAre(" a \t"));
  EXPECT_THAT(split_lines(""), ElementsAre());
  EXPECT_THAT(split_lines("\xEF\xBB\xBF"), ElementsAre());
  EXPECT_THAT(split_lines("\n"), ElementsAre(""));
}

TEST(TextLines, OfFilesAreThoseOfTheirTextHoweverTheyLieInTheBuffer) {
  const test::TemporaryFolder here;
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    // 65,536 bytes are read at once: lines and ends lie across that border in every way.
    for (std::size_t before = 65530; before < 65540; ++before) {
      const std::string text = std::string(before, 'x') + end + "second" + end + "third";
      std::ofstream(here / "file", std::ios::binary) << text;
      EXPECT_THAT(all_lines(TextLines(here / "file")),
                  ElementsAre(std::string(before, 'x'), "second", "third"));
    }
  }
  EXPECT_EQ(read_text(here / "file"), std::string(65539, 'x') + "\nsecond\nthird\n");
  EXPECT_THROW(TextLines(here / "nowhere"), FileError);
  EXPECT_THROW(read_text(here.path()), FileError);
}

TEST(TextLines, OfAPipeAreReadOnce) {
  const test::TemporaryFolder here;
  ASSERT_EQ(::mkfifo((here / "pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(here / "pipe") << "a\r\nb"; });
  EXPECT_EQ(read_text(here / "pipe"), "a\nb\n");
  writer.join();
}

TEST(TextLines, OfASocketAreNotWaitedFor) {
  const test::TemporaryFolder here;
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  (here / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(why<FileError>([&] { read_text(here / "socket"); }), HasSubstr("it is a socket"));
  EXPECT_THAT(why<FileError>([&] { read_bytes(here / "socket"); }), HasSubstr("a socket, not a plain file"));
  ::close(socket);
}

TEST(TextLines, SayWhatIsNoSuchText) {
  using namespace std::string_literals;
  EXPECT_THAT(text_fault("\xFF\xFEp\0"s),
              AllOf(HasSubstr("text is text in UTF-16"), HasSubstr("iconv -f UTF-16 ")));
  EXPECT_THAT(text_fault("\xFE\xFF\0p"s), HasSubstr("UTF-16"));
  EXPECT_THAT(text_fault("p\0a\0"s), HasSubstr("UTF-16LE"));
  EXPECT_THAT(text_fault("\0p\0a"s), HasSubstr("UTF-16BE"));
  EXPECT_THAT(text_fault("a\nb\0c\n"s), AllOf(HasSubstr("text, line 2"), HasSubstr("zero byte")));
  EXPECT_THAT(text_fault("a\n" + std::string((4 << 20) + 1, 'x')),
              AllOf(HasSubstr("line 2"), HasSubstr("4 MiB")));
  EXPECT_THAT(why<DataError>([] { read_text("/dev/zero"); }), HasSubstr("zero byte"));
}

}  // namespace
}  // namespace facemae
