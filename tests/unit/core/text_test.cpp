#include "core/text.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(Nearest, FindsTypingErrorsAndLeavesStrangersAlone) {
  const std::vector<std::string> commands = {"pretrain", "pack", "pairs", "recognize"};
  EXPECT_EQ(nearest("pretrian", commands), "pretrain");
  EXPECT_EQ(nearest("recognise", commands), "recognize");
  EXPECT_EQ(nearest("zebra-crossing", commands), "");
  EXPECT_EQ(suggestion("pak", commands), ": did you mean pack?");
}

TEST(Human, SizesTimesAndCounts) {
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(1536ULL << 20), "1.5 GiB");
  EXPECT_EQ(human_seconds(4.2), "4.2 s");
  EXPECT_EQ(human_seconds(200), "3 min 20 s");
  EXPECT_EQ(human_seconds(7500), "2 h 05 min");
  EXPECT_EQ(human_count(42474557), "42,474,557");
  EXPECT_EQ(human_count(7), "7");
}

TEST(Text, SplitsJoinsAndTrims) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(join({"a", "b"}, " - "), "a - b");
  EXPECT_EQ(trim("  x y\t\n"), "x y");
}

}  // namespace
}  // namespace facemae
