#include "core/options.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"

namespace facemae {
namespace {

using testing::HasSubstr;

struct Bound {
  std::string name = "plain";
  int count = 3;
  double rate = 0.5;
  bool fast = false, on = true;
  std::vector<std::string> list;
  std::optional<std::uint64_t> limit;
  std::vector<std::string> words;
  CommonOptions common;
  Options options{"Does things.", "thing [OPTIONS]"};
  Bound() {
    options.add("name", name, "a name")
        .add("count", count, "how many")
        .add("rate", rate, "per second")
        .flag("fast", fast, "hurry");
    options.add("on", on, "yes or no").add("list", list, "several").add("limit", limit, "perhaps");
    options.positional("WORD...", words, "free words");
  }
  bool parse(const std::vector<std::string>& arguments) { return options.parse(arguments, common); }
};

TEST(Options, ReadsEveryType) {
  Bound b;
  b.parse({"one", "--name", "x", "--count=-7", "--rate", "1e-3", "--fast", "--on", "no", "--limit", "9",
           "--list", "a", "b"});
  ASSERT_TRUE(b.options.finish());
  EXPECT_EQ(b.name, "x");
  EXPECT_EQ(b.count, -7);
  EXPECT_EQ(b.rate, 1e-3);
  EXPECT_TRUE(b.fast);
  EXPECT_FALSE(b.on);
  EXPECT_EQ(b.limit, 9u);
  EXPECT_THAT(b.list, testing::ElementsAre("a", "b"));
  EXPECT_THAT(b.words, testing::ElementsAre("one"));
}

TEST(Options, KeepsDefaultsAndPrintsAllThatIsSet) {
  Bound b;
  b.parse({});
  ASSERT_TRUE(b.options.finish());
  EXPECT_EQ(b.options.text(), "name = plain\ncount = 3\nrate = 0.5\nfast = no\non = yes\n");
}

TEST(Options, FlagsOverrideTheFile) {
  const Path file = Path(testing::TempDir()) / ("options_" + std::to_string(::getpid()));
  write_durably(real_files(), file, "# a comment\ncount = 5\nname = from file\nfast = yes\nlist = p q\n");
  Bound b;
  b.parse({"--config", file.string(), "--count", "6"});
  ASSERT_TRUE(b.options.finish());
  EXPECT_EQ(b.count, 6);
  EXPECT_EQ(b.name, "from file");
  EXPECT_TRUE(b.fast);
  EXPECT_THAT(b.list, testing::ElementsAre("p", "q"));
  std::filesystem::remove(file);
}

TEST(Options, WhatTheyPrintTheyReadBack) {
  Bound a;
  a.parse({"--name", "research only, set #3", "--list", "two words", "p", "", "with \"quotes\""});
  ASSERT_TRUE(a.options.finish());
  const Path file = Path(testing::TempDir()) / ("options_round_" + std::to_string(::getpid()));
  write_durably(real_files(), file, a.options.text());
  Bound b;
  b.parse({"--config", file.string()});
  ASSERT_TRUE(b.options.finish());
  EXPECT_EQ(b.name, "research only, set #3");
  EXPECT_THAT(b.list, testing::ElementsAre("two words", "p", "", "with \"quotes\""));
  std::filesystem::remove(file);
}

TEST(Options, CollectsFaultsOfFlagsAndFile) {
  const Path file = Path(testing::TempDir()) / ("options_bad_" + std::to_string(::getpid()));
  write_durably(real_files(), file, "cuont = 5\nnonsense\n");
  Bound b;
  b.parse({"--config", file.string(), "--count", "many", "--nmae", "x"});
  b.options.check(false, "and one more");
  try {
    b.options.finish();
    FAIL() << "no fault was reported";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("5 faults"));
    EXPECT_THAT(error.what(), HasSubstr("unknown key \"cuont\""));
    EXPECT_THAT(error.what(), HasSubstr("did you mean --count?"));
    EXPECT_THAT(error.what(), HasSubstr("\"many\" is not a whole number"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean --name?"));
    EXPECT_THAT(error.what(), HasSubstr("not \"key = value\""));
  }
  std::filesystem::remove(file);
}

TEST(Options, DoesNotGuessAbbreviations) {
  Bound b;
  b.parse({"--cou", "4"});
  EXPECT_THROW(b.options.finish(), ConfigError);
}

TEST(Options, HelpShowsDefaultsAndTypes) {
  const std::string help = Bound().options.help();
  EXPECT_THAT(help, HasSubstr("--rate X\n        per second [0.5]"));
  EXPECT_THAT(help, HasSubstr("Does things."));
}

}  // namespace
}  // namespace facemae
