#include "core/options/options.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files/files.h"
#include "tests/unit/core/options/bound.h"

namespace facemae {
namespace {

using test_options::Bound;
using testing::HasSubstr;

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

std::string faults_of(Bound& b) {
  try {
    b.options.finish();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Options, AListGivenAgainHasTheWordsOfAllTimes) {
  Bound b;
  b.parse({"--list", "a", "b", "--count", "4", "--list", "c", "--list=d"});
  EXPECT_EQ(faults_of(b), "");
  EXPECT_THAT(b.list, testing::ElementsAre("a", "b", "c", "d"));
}

TEST(Options, AListOfNumbersIsReadPrintedAndRefusedAsNumbersAre) {
  const auto read = [](const std::vector<std::string>& words, std::vector<double>& list) {
    CommonOptions common;
    Options options("", "thing");
    options.add("at", list, "places").at_most(3);
    EXPECT_THAT(options.help(100), HasSubstr("--at X...               places"));
    options.parse(words, common);
    try {
      options.finish();
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return options.text();
  };
  std::vector<double> list, kept = {7};
  EXPECT_EQ(read({}, list), "") << "an empty list is not in the text";
  EXPECT_EQ(read({"--at", "10", "0.1", "--at=1e-3"}, list), "at = 10 0.1 0.001\n");
  EXPECT_THAT(list, testing::ElementsAre(10, 0.1, 1e-3));
  EXPECT_EQ(read({"--at", "1", "x"}, kept), "--at: \"x\" is not a number");
  EXPECT_EQ(read({"--at", "1", "nan"}, kept), "--at: \"nan\" is not finite");
  EXPECT_EQ(read({"--at", "10,18,22"}, kept),
            "--at: \"10,18,22\" is not a number: blanks part the numbers of a list");
  EXPECT_EQ(read({"--at", "1", "2", "3", "4"}, list), "--at: at most 3 expected, not 4 (1 2 3 4)");
  EXPECT_THAT(kept, testing::ElementsAre(7)) << "what is refused changes nothing";
}

TEST(Options, AFileRepeatsAsTheCommandLineDoesWhichReplacesIt) {
  const Path file = Path(testing::TempDir()) / ("options_again_" + std::to_string(::getpid()));
  write_durably(real_files(), file,
                "\xEF\xBB\xBFlist = p q\r\ncount = 5\rlist = r\ncount = 6\nconfig = other\n");
  Bound lines;
  lines.parse({"--config", file.string()});
  EXPECT_THAT(lines.list, testing::ElementsAre("p", "q", "r"));
  const std::string faults = faults_of(lines);
  EXPECT_THAT(faults,
              HasSubstr("--count is given twice (" + file.string() + ":2, " + file.string() + ":4): 5, 6"));
  EXPECT_THAT(faults, HasSubstr("\"config\" (" + file.string() + ":5) belongs on the command line"));
  write_durably(real_files(), file, "list = p q\ncount = 5\nlist = r\n");
  Bound both;
  both.parse({"--config", file.string(), "--list", "x", "--list", "y", "--count", "7"});
  EXPECT_EQ(faults_of(both), "");
  EXPECT_THAT(both.list, testing::ElementsAre("x", "y"));
  EXPECT_EQ(both.count, 7);
  std::filesystem::remove(file);
  Bound none;
  none.parse({"--config", testing::TempDir()});
  EXPECT_THAT(faults_of(none), HasSubstr("Is a directory"));
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

TEST(Options, HelpShowsDefaultsAndTypes) {
  const std::string help = Bound().options.help();
  EXPECT_THAT(help, HasSubstr("--rate X                per second [0.5]"));
  EXPECT_THAT(help, HasSubstr("Does things."));
  EXPECT_THAT(help, HasSubstr("--list TEXT...          several\n"));
  EXPECT_THAT(help, HasSubstr("may be given several times"));
}

TEST(Options, OtherWordsForAValueCountAsWhatTheyMean) {
  std::string kind = "one";
  Options options("", "");
  options.choice("kind", kind, {"one", "two"}, "a kind").understood([](const std::string& word) {
    return word == "zwei" ? "two" : word;
  });
  CommonOptions common;
  const std::vector<std::string> words = {"--kind", "zwei"};
  EXPECT_TRUE(options.parse(words, common));
  EXPECT_TRUE(options.finish());
  EXPECT_EQ(kind, "two");
  EXPECT_NE(options.text().find("kind = two"), std::string::npos);
}

enum class Colour { Red, Green };

TEST(Options, ATableOfKindsGivesParsingTextAndHelp) {
  constexpr Named<Colour> colours[] = {{"red", Colour::Red, "as blood"},
                                       {"green", Colour::Green, "as grass"}};
  Colour colour = Colour::Green;
  std::string name = "red";
  Options options("", "thing");
  options.choice("colour", colour, colours, "paint").choice("other", name, colours, "paint of the other");
  CommonOptions common;
  const std::vector<std::string> words = {"--colour", "red", "--other", "gren"};
  EXPECT_THAT(options.help(100), HasSubstr("--colour red|green      paint [green]\n"
                                           "                          red    as blood\n"
                                           "                          green  as grass\n"));
  options.parse(words, common);
  EXPECT_EQ(colour, Colour::Red);
  EXPECT_EQ(options.text(), "colour = red\nother = red\n");
  EXPECT_THROW(options.finish(), ConfigError);
}

}  // namespace
}  // namespace facemae
