#include "core/files/array.h"

#include <gtest/gtest.h>

#include "tests/temporary_folder.h"

namespace facemae {
namespace {

TEST(Array, OwnsOrMapsTheSameValues) {
  const test::TemporaryFolder here;
  const std::vector<std::uint32_t> values{1, 2, 0xFFFFFFFF, 4};
  std::string text = "odd";  // three bytes: what follows is not aligned
  text.append(reinterpret_cast<const char*>(values.data()), values.size() * 4);
  write_durably(real_files(), here / "a", text);
  const auto mapped = Array<std::uint32_t>::at(map_file(here / "a", 3, 16), 4);
  const Array<std::uint32_t> owned(values);
  ASSERT_EQ(mapped.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(mapped[i], values[i]);
  EXPECT_TRUE(mapped == owned);
  EXPECT_EQ(mapped.values(), values);
  EXPECT_EQ(std::vector<std::uint32_t>(mapped.begin(), mapped.end()), values);
  EXPECT_THROW(mapped.span(), Error);
  EXPECT_EQ(mapped.aligned().span()[2], 0xFFFFFFFF);
  mapped.drop_pages();
  owned.drop_pages();  // must leave what it owns alone
  EXPECT_EQ(mapped.back(), 4u);
  EXPECT_EQ(owned.values(), values);
  EXPECT_FALSE((Array<std::uint32_t>{1, 2} == owned));
}

TEST(Array, OutlivesTheOneItWasCopiedFrom) {
  const test::TemporaryFolder here;
  write_durably(real_files(), here / "a", "12345678");
  Array<std::uint8_t> kept;
  { kept = Array<std::uint8_t>::at(map_file(here / "a", 4, 4), 4); }
  EXPECT_EQ(kept.front(), '5');
  EXPECT_TRUE(Array<std::uint8_t>().empty());
  EXPECT_TRUE(Array<std::uint8_t>::at(map_file(here / "a", 8, 0), 0).empty());
}

TEST(Array, IsNotMappedBeyondTheEndOfTheFile) {
  const test::TemporaryFolder here;
  write_durably(real_files(), here / "a", "12345678");
  EXPECT_THROW(Array<std::uint64_t>::at(map_file(here / "a", 1, 8), 1), FileError);
  EXPECT_THROW(Array<std::uint64_t>::at(map_file(here / "a", 100, 8), 1), FileError);
  EXPECT_THROW(Array<std::uint64_t>::at(map_file(here / "missing", 0, 8), 1), FileError);
}

}  // namespace
}  // namespace facemae
