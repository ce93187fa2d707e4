#include "core/options/help_text.h"

#include <gtest/gtest.h>

#include "core/text.h"

namespace facemae {
namespace {

TEST(HelpText, BreaksLongLinesAtBlanksAndGoesOnBelowTheSecondColumn) {
  EXPECT_EQ(wrapped("one two three four", 9), "one two\nthree\nfour");
  EXPECT_EQ(wrapped("  zip  one two three four", 16), "  zip  one two\n       three\n       four");
  EXPECT_EQ(wrapped("short\n\nlines", 9), "short\n\nlines");
  EXPECT_EQ(wrapped("aVeryLongWordIndeed b", 9), "aVeryLongWordIndeed\nb");
}

TEST(HelpText, KeepsCommandsWholeSoThatTheyCanBeCopied) {
  const std::string example = "Example:  mpirun -n 2 facemae pretrain --store faces";
  EXPECT_EQ(wrapped(example, 20), example);
  EXPECT_EQ(wrapped("          facemae show faces", 10), "          facemae show faces");
}

TEST(HelpText, PutsDescriptionsIntoAColumn) {
  EXPECT_EQ(in_column("--a N", "one two three", 10, 30), "  --a N   one two three\n");
  EXPECT_EQ(in_column("--a-long-name N", "one two three", 10, 18),
            "  --a-long-name N\n          one two three\n")
      << "at least 20 letters are left for it";
}

TEST(HelpText, NoLineIsWiderThanAskedUnlessAWordIs) {
  const std::string text =
      "some words that are to be set, one after the other, into lines that are not too long";
  for (int width = 60; width <= 120; ++width)
    for (const auto& line : split(in_column("--network a|b|c", text, 26, width), '\n'))
      EXPECT_LE(static_cast<int>(line.size()), width) << line;
}

}  // namespace
}  // namespace facemae
