#include "core/fields.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(Fields, KeepARecordOnItsLine) {
  EXPECT_EQ(tsv_field("Ann Lee"), "Ann Lee");
  EXPECT_EQ(tsv_field("a\tb\nc\rd\\n"), "a\\tb\\nc\\rd\\\\n");
  EXPECT_EQ(csv_field("say \"a, b\""), "\"say \"\"a, b\"\"\"");
}

TEST(Fields, BetweenCommasAreQuotedWhereTheyMustBe) {
  EXPECT_EQ(csv_word("sets/lfw.bin"), "sets/lfw.bin");
  EXPECT_EQ(csv_word("a, b.bin"), "\"a, b.bin\"");
  EXPECT_EQ(csv_word("5\" wide"), "\"5\"\" wide\"");
  EXPECT_EQ(csv_word("two\nlines"), "\"two\nlines\"");
}

}  // namespace
}  // namespace facemae
