#include "core/options/options.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files/files.h"

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

TEST(Options, AnythingElseGivenAgainIsAFaultThatNamesIt) {
  Bound b;
  b.parse({"--count", "1", "--count=2", "--limit", "3", "--limit", "3", "--fast", "--fast", "--on", "no",
           "--name", "x", "--name", "y", "--name", "z"});
  const std::string faults = faults_of(b);
  EXPECT_THAT(faults, HasSubstr("4 faults"));
  EXPECT_THAT(faults, HasSubstr("--count is given twice: 1, 2"));
  EXPECT_THAT(faults, HasSubstr("--limit is given twice: 3, 3"));
  EXPECT_THAT(faults, HasSubstr("--fast is given twice"));
  EXPECT_THAT(faults, HasSubstr("--name is given 3 times: x, y, z"));
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

TEST(Options, HelpIsToldWhateverElseIsWrong) {
  for (const std::string word : {"-h", "--help"}) {
    Bound b;
    testing::internal::CaptureStdout();
    EXPECT_FALSE(b.parse({"--name", word, "--nonsense", "--count"})) << word;
    EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("facemae thing [OPTIONS]"));
  }
  Bound file_of_that_name;
  EXPECT_TRUE(file_of_that_name.parse({"--", "-h"}));
  EXPECT_THAT(file_of_that_name.words, testing::ElementsAre("-h"));
}

TEST(Options, AMissingValueIsTheOnlyFaultThatIsTold) {
  Bound b;
  b.parse({"one", "--count"});
  b.options.check(false, "something else");
  EXPECT_EQ(faults_of(b), "the required argument for option '--count' is missing");
}

TEST(Options, NumbersAreReadInFullOrRefused) {
  const auto fault = [](const std::string& name, const std::string& value) {
    Bound b;
    b.parse({"--" + name + "=" + value});
    return faults_of(b);
  };
  for (const char* word : {"1x", "1 ", " 1", "0x10", "1e3", "1.5", "+1", "-", "99999999999"})
    EXPECT_NE(fault("count", word), "") << word;
  EXPECT_THAT(fault("count", "99999999999"), HasSubstr("out of range"));
  for (const char* word : {"-1", "18446744073709551616", "1.0"}) EXPECT_NE(fault("limit", word), "") << word;
  for (const char* word : {"inf", "-inf", "nan", "infinity", "1e999", "1e-999", "0,1", "1f", "0x1p3"})
    EXPECT_NE(fault("rate", word), "") << word;
  EXPECT_THAT(fault("rate", "inf"), HasSubstr("not finite"));
  EXPECT_THAT(fault("rate", "0,1"), HasSubstr("the decimal sign is a point"));
  EXPECT_THAT(fault("rate",
                    "\xE2\x88\x92"
                    "1"),
              HasSubstr("a longer minus sign"));
  EXPECT_THAT(fault("count", "1e3"), testing::EndsWith("\"1e3\" is not a whole number: write 1000"));
  for (const char* word : {"1,000", "1_000", "1'000", "1 000"})
    EXPECT_THAT(fault("limit", word), HasSubstr("without separators")) << word;
  EXPECT_THAT(fault("count", "inf"), testing::EndsWith("is not a whole number"));
  EXPECT_THAT(fault("limit", "-1"), testing::EndsWith("\"-1\" is not a whole number, 0 or greater"));
  EXPECT_THAT(fault("rate", "1.5 "), HasSubstr("blanks around it"));
  Bound empty;
  empty.parse({"--count", "", "--limit", "", "--rate", ""});
  EXPECT_THAT(faults_of(empty), HasSubstr("3 faults"));
  EXPECT_EQ(fault("limit", "18446744073709551615"), "");
  EXPECT_EQ(fault("rate", "-1e-300"), "");
}

TEST(Options, OfUnknownNamesTheMeantOneIsToldAndTheirValuesAreNoFaults) {
  static constexpr ForeignOption kForeign[] = {{"warmup-epochs wu", "--rate, per second"},
                                               {"resume", "not needed"}};
  double rate = 1;
  bool fast = false;
  CommonOptions common;
  Options options("", "thing");
  options.add("half-rate", rate, "").flag("fast", fast, "");
  options.explain(kForeign);
  const std::vector<std::string> words = {"--half_rate", "1", "--warmup_epochs", "5",           "-wu=5",
                                          "--resume",    "x", "--fsat",          "--unheard-of"};
  options.parse(words, common);
  try {
    options.finish();
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(
        error.what(),
        "6 faults:\n  unknown option --half_rate: did you mean --half-rate?\n"
        "  unknown option --warmup_epochs: --rate, per second\n  unknown option --resume: not needed\n"
        "  unknown option --fsat: did you mean --fast?\n"
        "  unknown option --unheard-of: one of --half-rate, --fast, --log-level, --json, --config, --print-config, --help\n"
        "  unknown option -wu=5: --rate, per second");
  }
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
  EXPECT_THAT(help, HasSubstr("--rate X                per second [0.5]"));
  EXPECT_THAT(help, HasSubstr("Does things."));
  EXPECT_THAT(help, HasSubstr("--list TEXT...          several\n"));
  EXPECT_THAT(help, HasSubstr("may be given several times"));
}

TEST(Options, ValuesOutsideOfTheirBoundsAreFaultsThatNameOptionBoundAndValue) {
  int count = 0;
  double ratio = 0.5;
  std::optional<std::uint64_t> limit;
  std::vector<std::string> words;
  const auto faults = [&](const std::vector<std::string>& given) {
    Options options("", "thing");
    options.add("count", count, "a number").at_least(2, "one may be lost").add("ratio", ratio, "a number");
    options.add("share", ratio, "a number").above(0).below(1).add("limit", limit, "a number").between(1, 9);
    options.positional("PLACE", words, "a place", 1).at_most(1);
    CommonOptions common;
    options.parse(given, common);
    try {
      options.finish();
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(faults({"here"}), "") << "a default is not measured, only what was given";
  EXPECT_EQ(faults({"here", "--count", "2", "--share", "1e-9", "--limit", "9", "--ratio", "-5"}), "");
  EXPECT_EQ(faults({"here", "--count=1"}), "--count must be at least 2, not 1: one may be lost");
  EXPECT_EQ(faults({"here", "--share", "0"}), "--share must be above 0 and below 1, not 0");
  EXPECT_EQ(faults({"here", "--share", "1"}), "--share must be above 0 and below 1, not 1");
  EXPECT_EQ(faults({"here", "--limit", "10"}), "--limit must be from 1 to 9, not 10");
  EXPECT_EQ(faults({"here", "there"}), "PLACE: 1 expected, not 2 (here there)");
  EXPECT_EQ(faults({}), "PLACE is missing");
  EXPECT_THAT(faults({"--count", "0", "--limit", "0"}), HasSubstr("3 faults"));
}

TEST(Options, ThatAreWrongAreNotMissingToo) {
  int count = 0;
  Options options("", "thing");
  options.require("count", count, "a number");
  CommonOptions common;
  const std::vector<std::string> words = {"--count", "many"};
  options.parse(words, common);
  try {
    options.finish();
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "--count: \"many\" is not a whole number");
  }
}

TEST(Options, AreRequiredUnlessAnotherIsGiven) {
  const auto faults = [](const std::vector<std::string>& words) {
    std::string place;
    int size = 0;
    CommonOptions common;
    Options options("", "thing");
    options.require("place", place, "a place").unless("size").add("size", size, "a number");
    options.parse(words, common);
    try {
      options.finish();
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(faults({}), "--place is missing");
  EXPECT_EQ(faults({"--size", "3"}), "");
  EXPECT_EQ(faults({"--place", "here"}), "");
}

enum class Colour { Red, Green };

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
