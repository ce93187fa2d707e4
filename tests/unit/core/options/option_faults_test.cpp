// What is wrong with a command line, and all of it at once.
#include <gmock/gmock.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files/files.h"
#include "core/options/options.h"
#include "tests/unit/core/options/bound.h"

namespace facemae {
namespace {

using test_options::Bound;
using testing::HasSubstr;

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

}  // namespace
}  // namespace facemae
