#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "data/source/source.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test_images::put;
using test_images::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::vector<std::string> names_of(const ImageSource& source) {
  std::vector<std::string> names;
  for (std::uint64_t entry = 0; entry < source.size(); ++entry) names.push_back(source.name(entry));
  return names;
}

TEST(ListSource, NumbersKeepTheirOrderAndPathsBeginAtTheRoot) {
  TemporaryFolder here;
  put(here / "root/some where/a.jpg", bytes_of(std::string("a")));
  put(here / "list.txt", bytes_of(std::string("# comment\n\nb.jpg 10\r\nsome where/a.jpg\t2\nc.jpg 002\n")));
  const auto source = list_source({here / "list.txt"}, here / "root");
  EXPECT_THAT(source->identity_names(), ElementsAre("02", "10"));
  EXPECT_THAT(names_of(*source), ElementsAre("02/c.jpg", "02/some where/a.jpg", "10/b.jpg"));
  EXPECT_EQ(source->label(2), 1);
  EXPECT_EQ(text_of(source->read(1)), "a");
  EXPECT_THROW(source->read(0), FileError);  // becomes a reject
}

TEST(ListSource, NamesAreLabelsTooAndSeveralListsAreOneSet) {
  TemporaryFolder here;
  put(here / "x/1.jpg", bytes_of(std::string("x1")));
  put(here / "y/1.jpg", bytes_of(std::string("y1")));
  put(here / "x/list.csv", bytes_of(std::string("path,label\n1.jpg,\"Zoe, the second\"\n")));
  put(here / "y/list.txt", bytes_of("1.jpg 7\n" + (here / "x/1.jpg").string() + " 7"));
  const auto source = list_source({here / "x/list.csv", here / "y/list.txt"});
  EXPECT_THAT(source->identity_names(), ElementsAre("7", "Zoe, the second"));
  ASSERT_EQ(source->size(), 3u);
  EXPECT_EQ(text_of(source->read(0)), "x1");  // an absolute path stands
  EXPECT_EQ(text_of(source->read(1)), "y1");  // relative to its own list
}

TEST(ListSource, NumbersAreNumbersUnderAnyHeader) {
  TemporaryFolder here;
  std::string list = "\xEF\xBB\xBFimage_id,identity\r\n";
  for (int i = 0; i < 12; ++i) list += fmt::format("{}.jpg,{}\r\n", i, i);
  put(here / "list", bytes_of(list));
  const auto source = list_source({here / "list"});
  ASSERT_EQ(source->identity_names().size(), 12u);
  EXPECT_EQ(source->name(2), "02/2.jpg");
  EXPECT_EQ(source->name(11), "11/11.jpg");
  put(here / "train.lst", bytes_of(std::string("0\t10.000000\ta.jpg\n1\t2.000000\tb.jpg\n")));
  EXPECT_THAT(names_of(*list_source({here / "train.lst"})), ElementsAre("02/b.jpg", "10/a.jpg"));
  put(here / "halves", bytes_of(std::string("a.jpg,1.5\nb.jpg,10.0\n")));
  EXPECT_THAT(list_source({here / "halves"})->identity_names(), ElementsAre("1.5", "10.0"));
  put(here / "none", bytes_of(std::string("a.jpg,1\nb.jpg,-1\n")));
  EXPECT_THAT(test::why<DataError>([&] { list_source({here / "none"}); }), HasSubstr("line 2"));
}

TEST(ListSource, ReadsAPipeOnceAndItsPathsBeginInTheWorkingFolder) {
  TemporaryFolder here;
  put(here / "1.jpg", bytes_of(std::string("1")));
  ASSERT_EQ(::mkfifo((here / "pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(here / "pipe") << (here / "1.jpg").string() << " 7\n"; });
  const auto source = list_source({here / "pipe"});
  writer.join();
  EXPECT_EQ(text_of(source->read(0)), "1");
  std::thread again([&] { std::ofstream(here / "pipe") << "tests/1.jpg 7\n"; });
  const auto relative = list_source({here / "pipe"});
  again.join();
  EXPECT_THAT(test::why<FileError>([&] { relative->read(0); }), HasSubstr("opening tests/1.jpg"));
}

TEST(ListSource, NamesTheLineThatIsNoImage) {
  TemporaryFolder here;
  const auto fault = [&](const std::string& text) {
    put(here / "list", bytes_of(text));
    try {
      list_source({here / "list"});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(fault("a.jpg 1\nb.jpg\n"), testing::AllOf(HasSubstr("line 2"), HasSubstr("b.jpg")));
  EXPECT_THAT(fault("a.jpg,1\n,2\n"), HasSubstr("line 2"));
  EXPECT_THAT(fault("a.jpg 1\na.jpg 1\n"), HasSubstr("1/a.jpg"));
  EXPECT_THAT(fault("# nothing\n"), HasSubstr("no images"));
  EXPECT_THROW(list_source({here / "missing"}), ConfigError);
  EXPECT_THROW(list_source({}), ConfigError);
}

}  // namespace
}  // namespace facemae
