#include "data/source/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(Catalogue, SortsByIdentityThenImageAndFindsEach) {
  Catalogue catalogue;
  catalogue.add("b", "2.jpg", 1);
  catalogue.add("a", "9.jpg", 0);
  catalogue.add("b", "10.jpg", 2);
  catalogue.add("ab", "1.jpg", 3);
  catalogue.sort({"p", "q", "r", "s"});
  EXPECT_THAT(catalogue.identity_names(), testing::ElementsAre("a", "ab", "b"));
  const std::vector<std::string> names = {"a/9.jpg", "ab/1.jpg", "b/10.jpg", "b/2.jpg"};
  ASSERT_EQ(catalogue.size(), names.size());
  for (std::uint64_t entry = 0; entry < names.size(); ++entry) {
    EXPECT_EQ(catalogue.name(entry), names[entry]);
    const auto slash = names[entry].find('/');
    EXPECT_EQ(catalogue.find(names[entry].substr(0, slash), names[entry].substr(slash + 1)), entry);
  }
  EXPECT_EQ(catalogue.label(3), 2);
  EXPECT_EQ(catalogue.part(2), 2u);
  for (const auto* absent : {"0", "b2", "c"}) EXPECT_EQ(catalogue.find(absent, "1.jpg"), std::nullopt);
  for (const auto* absent : {"", "1.jpg", "3.jpg", "2.jpg "})
    EXPECT_EQ(catalogue.find("b", absent), std::nullopt);
}

TEST(Catalogue, TwoOfOneNameAreNamedWithTheirParts) {
  Catalogue catalogue;
  catalogue.add("a", "1.jpg", 1);
  catalogue.add("b", "1.jpg", 0);
  catalogue.add("a", "1.jpg", 0);
  try {
    catalogue.sort({"first", "second"});
    FAIL() << "not refused";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("a/1.jpg: one in first, one in second"));
  }
}

}  // namespace
}  // namespace facemae
