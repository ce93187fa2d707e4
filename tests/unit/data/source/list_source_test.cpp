#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "data/source/source.h"
#include "tests/unit/data/image/test_images.h"

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
  put(here / "x/list.csv", bytes_of(std::string("path,label\n1.jpg,Zoe, the second\n")));
  put(here / "y/list.txt", bytes_of("1.jpg 7\n" + (here / "x/1.jpg").string() + " 7"));
  const auto source = list_source({here / "x/list.csv", here / "y/list.txt"});
  EXPECT_THAT(source->identity_names(), ElementsAre("7", "the second"));
  ASSERT_EQ(source->size(), 3u);
  EXPECT_EQ(text_of(source->read(0)), "x1");  // an absolute path stands
  EXPECT_EQ(text_of(source->read(1)), "y1");  // relative to its own list
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
