#include "trainer/config/moving_over.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "core/error.h"
#include "core/files/files.h"
#include "core/text.h"
#include "tests/unit/trainer/config/parsed.h"
#include "trainer/config/run_config.h"

namespace facemae {
namespace {

using testing::HasSubstr;

template <class Config>
std::string fault_of(const std::string& word) {
  Config config;
  return test::faults_in({"--store", "s", "--run", "r", "--batch", "4", "--steps", "1", word, "7"}, config);
}

template <class Config>
std::set<std::string> options_of() {
  Config config;
  CommonOptions common;
  Options options("", "");
  declare(options, config);
  options.parse({}, common);
  const std::string help = options.help(100);
  std::set<std::string> names;
  const std::regex name("\n  (--[a-z0-9-]+)");
  for (std::sregex_iterator at(help.begin(), help.end(), name), end; at != end; ++at) names.insert((*at)[1]);
  return names;
}

/// No name is one of our own or stands twice; every option of an answer outside of `commands` exists.
void expect_sound(std::span<const MovingOver> all, const std::set<std::string>& own) {
  std::set<std::string> seen;
  for (const auto& from : all)
    for (const auto& row : from.options) {
      std::set<std::string> here;
      for (const auto& name : split(row.names, ' ')) {
        EXPECT_FALSE(own.contains("--" + name)) << name;
        EXPECT_TRUE(here.insert(name).second) << name;
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), name.npos) << name;
      }
      const std::string said = std::regex_replace(std::string(row.answer), std::regex("`[^`]*`"), "");
      const std::regex option("--[a-z0-9-]+");
      for (std::sregex_iterator at(said.begin(), said.end(), option), end; at != end; ++at)
        EXPECT_TRUE(own.contains(at->str())) << row.answer;
    }
}

std::string table_of(const MovingOver& from) {
  std::string text = "| option there | here |\n|---|---|\n";
  for (const auto& row : from.options) {
    std::string names;
    for (const auto& name : split(row.names, ' ')) names += (names.empty() ? "`" : ", `") + name + "`";
    text += "| " + names + " | " + row.answer + " |\n";
  }
  return text;
}

TEST(MovingOver, SaysOfOptionsOfMaeAndArcFaceWhatDoesTheSameHere) {
  EXPECT_THAT(fault_of<PretrainConfig>("--blr"), HasSubstr("unknown option --blr: --base-lr"));
  EXPECT_THAT(fault_of<PretrainConfig>("--norm_pix_loss"), HasSubstr("--normalise-patches"));
  EXPECT_THAT(fault_of<PretrainConfig>("--resume"),
              HasSubstr("runs resume by themselves; give the same --run"));
  EXPECT_THAT(fault_of<PretrainConfig>("--mask_ratio"), testing::EndsWith("did you mean --mask-ratio?"));
  EXPECT_THAT(fault_of<RecognizeConfig>("--margin_list"), HasSubstr("--margin arcface"));
  EXPECT_THAT(fault_of<RecognizeConfig>("--fp16"), testing::EndsWith(": --precision bfloat16"));
  EXPECT_THAT(fault_of<RecognizeConfig>("--sample_rate"), testing::EndsWith("did you mean --sample-rate?"));
  EXPECT_THAT(fault_of<RecognizeConfig>("--interclass_filtering_threshold"), HasSubstr("--class-filter"));
  EXPECT_THAT(fault_of<RecognizeConfig>("--lr_milestones"), HasSubstr("--milestones"));
}

TEST(MovingOver, NamesOnlyOptionsThatThereAre) {
  expect_sound(moving_to_pretrain(), options_of<PretrainConfig>());
  expect_sound(moving_to_recognize(), options_of<RecognizeConfig>());
}

TEST(MovingOver, IsWhatTheDocumentShows) {
  const std::string document = read_file(Path(FACEMAE_SOURCE) / "docs/MOVING_OVER.md");
  for (const auto& all : {moving_to_pretrain(), moving_to_recognize()})
    for (const auto& from : all)
      EXPECT_NE(document.find(table_of(from)), document.npos)
          << "docs/MOVING_OVER.md must have this table of " << from.program << ":\n"
          << table_of(from);
}

}  // namespace
}  // namespace facemae
