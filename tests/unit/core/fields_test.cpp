#include "core/fields.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(Fields, KeepARecordOnItsLine) {
  EXPECT_EQ(tsv_field("Ann Lee"), "Ann Lee");
  EXPECT_EQ(tsv_field("a\tb\nc\rd\\n"), "a\\tb\\nc\\rd\\\\n");
  EXPECT_EQ(csv_field("say \"a, b\""), "\"say \"\"a, b\"\"\"");
}

}  // namespace
}  // namespace facemae
