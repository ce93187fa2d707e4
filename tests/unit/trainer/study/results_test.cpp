#include "trainer/study/results.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "core/random/sha256.h"
#include "evaluation/report/report.h"
#include "tests/unit/trainer/study/fake_program.h"
#include "tests/why.h"
#include "trainer/study/runner.h"
#include "trainer/study/study_report.h"

namespace facemae {
namespace {

using test::why;
using testing::HasSubstr;
using testing::Not;

/// An arm with these utilities, and, where `odds` is not NaN, naming odds of value - 0.02 to value + 0.02.
ArmResult arm(const std::string& name, std::vector<double> utilities, double odds, int people_per_class = 1) {
  ArmResult result{
      .arm = {.name = name, .help = "", .source = ArmSource::Decoder, .people_per_class = people_per_class},
      .finished = true};
  for (std::size_t s = 0; s < utilities.size(); ++s) {
    SeedResult seed{.seed = s, .utility = utilities[s]};
    if (!std::isnan(odds))
      seed.headline = AuditHeadline{.attack = "A1",
                                    .attacker = "channel",
                                    .level = "person_to_class",
                                    .naming_odds = {odds, odds - 0.02, odds + 0.02},
                                    .people = 100,
                                    .positive_controls = 1,
                                    .positive_controls_work = true};
    result.seeds.push_back(seed);
  }
  return result;
}

std::string verdict(const ArmResult& tried, double plain95 = 0.2) {
  std::vector<ArmResult> arms{arm("facemae", {0.60, 0.62}, 0.9), arm("mask-0.95", {0.5, 0.52}, plain95),
                              tried};
  judge_arms(arms, {});
  return arms.back().verdict;
}

TEST(WinRule, WinsWithinAPointOfPlainAndHalfTheOddsOfPlain95) {
  EXPECT_EQ(verdict(arm("blend-2", {0.60, 0.602}, 0.08, 2)), "WINS");
  EXPECT_EQ(verdict(arm("blend-2", {0.60, 0.598}, 0.08, 2)), "does not win: utility");
  EXPECT_EQ(verdict(arm("blend-2", {0.70, 0.70}, 0.081, 2)), "does not win: naming odds")
      << "its upper limit counts, not its value";
  EXPECT_EQ(verdict(arm("blend-2", {0.50, 0.50}, 0.3, 2)), "does not win: utility and naming odds");
}

TEST(WinRule, MakesACandidateOfGroupsOfFourOrEightBelowTheirLimits) {
  EXPECT_EQ(verdict(arm("blend-4", {0.7, 0.7}, 0.08, 4)), "WINS; CANDIDATE SETTING");
  EXPECT_EQ(verdict(arm("blend-4", {0.5, 0.5}, 0.08, 4)), "does not win: utility; CANDIDATE SETTING");
  EXPECT_EQ(verdict(arm("blend-8", {0.7, 0.7}, 0.04, 8)), "WINS");
  EXPECT_EQ(verdict(arm("blend-8", {0.7, 0.7}, 0.03, 8)), "WINS; CANDIDATE SETTING");
  ArmResult without = arm("blend-4", {0.7, 0.7}, 0.08, 4);
  without.seeds.back().headline->positive_controls_work = false;
  EXPECT_EQ(verdict(without), "WINS (a positive control failed or is missing)");
}

TEST(WinRule, DecidesNothingWithoutItsReferences) {
  std::vector<ArmResult> arms{arm("facemae", {0.6}, 0.9), arm("blend-2", {0.7}, 0.05, 2)};
  judge_arms(arms, {});
  EXPECT_EQ(arms.back().verdict, "undecided: the study has no arm mask-0.95");
  EXPECT_EQ(arms.front().verdict, "reference");
  arms.push_back(arm("mask-0.95", {0.5}, 0.2));
  arms.back().failure = "pretrain.mask-0.95.0 ended with 65: bad";
  judge_arms(arms, {});
  EXPECT_EQ(arms[1].verdict, "undecided: mask-0.95 failed");
  EXPECT_EQ(arms.back().verdict, "failed");
}

TEST(StudyFigures, AreMeansOverSeedsWithDifferencesPairedBySeed) {
  std::vector<ArmResult> arms{arm("facemae", {0.60, 0.64}, 0.9), arm("blend-2", {0.62, 0.66}, 0.1, 2)};
  arms[1].seeds[1].headline->naming_odds = {0.2, 0.15, 0.25};
  judge_arms(arms, {});
  EXPECT_DOUBLE_EQ(arms[1].utility.value, 0.64);
  EXPECT_NEAR(arms[1].utility.high - 0.64, 12.7062 * 0.02, 1e-4) << "Student's t of one degree of freedom";
  EXPECT_NEAR(arms[1].to_plain->value, 0.02, 1e-12);
  EXPECT_NEAR(arms[1].to_plain->high, 0.02, 1e-9) << "the same in both seeds";
  EXPECT_NEAR(arms[1].naming_odds->value, 0.15, 1e-12);
  EXPECT_NEAR(arms[1].naming_odds->low, 0.08, 1e-12);
  EXPECT_NEAR(arms[1].naming_odds->high, 0.25, 1e-12);
}

TEST(StudyFigures, AreReadFromWhatTheCommandsWrote) {
  EXPECT_DOUBLE_EQ(utility_from(R"({"sets": [{"accuracy": 0.5}, {"accuracy": 0.75}]})", "u"), 0.625);
  EXPECT_THAT(why<DataError>([] { utility_from(R"({"sets": []})", "u.json"); }),
              HasSubstr("u.json: it has no set"));
  EXPECT_THAT(why<DataError>([] { utility_from("{", "u.json"); }), HasSubstr("not JSON"));
  EXPECT_THAT(why<DataError>([] { headline_from(R"({"attacks": []})", "r.json"); }),
              HasSubstr("no headline"));
  EXPECT_THAT(
      why<DataError>([] { headline_from(R"({"headline": {"naming_odds": {"value": null}}})", "r.json"); }),
      HasSubstr("no figures"));
  const auto none =
      headline_from(R"({"headline": {"naming_odds": {"value": 0, "low": 0, "high": 0.1}}})", "r");
  EXPECT_FALSE(none.positive_controls_work) << "no control is not one that works";
}

struct StudyPages : testing::Test {
  StudyPages() {
    StudyConfig config{.train = "/f/train", .unseen = "/f/unseen", .held_out = "/f/h", .pairs = "/f/p"};
    config.arms = {"real", "facemae", "mask-0.95", "blend-4"};
    config.seeds = 2;
    protocol.share = {.people = 12, .images = 4};
    protocol.plan = plan_study(config, protocol.share);
    protocol.plan.arms[3].help = "<script>alert(1)</script>";
    protocol.configuration = {
        {"budget", "minutes"},
        {"inputs", {{"unseen", {{"digest", "d"}, {"images", 48}, {"identities", 12}}}}}};
    protocol.taken = nlohmann::ordered_json::object();
    std::filesystem::create_directories(out);
    write_protocol(real_files(), out, protocol);
  }
  void run() {
    run_units(
        real_files(), protocol.plan.units,
        {.out = out, .program = program.path(), .launcher = {}, .device = {}, .show = false, .pause = {}});
  }
  const test::TemporaryFolder folder;
  const Path out = folder / "study";
  const test::FakeProgram program{folder.path()};
  StudyProtocol protocol{
      .configuration = {}, .taken = {}, .share = {}, .plan = {}, .rule = {}, .written = ""};
};

TEST_F(StudyPages, ShowEveryArmAndLoadNothingFromOutside) {
  run();
  write_study(real_files(), out);
  const std::string html = read_plain_file(out / "study.html");
  for (const char* shown :
       {"blend-4", "mask-0.95", "80.0 %", "20.0 %", "the photos themselves", "<svg", "win rule"})
    EXPECT_THAT(html, HasSubstr(shown));
  EXPECT_THAT(html, HasSubstr(sha256_hex(read_plain_file(out / "protocol.json"))));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* loader : {"<script", "http://", "https://", "url(", "<link", "<img"})
    EXPECT_THAT(html, Not(HasSubstr(loader)));
}

TEST_F(StudyPages, ShowAFailedArmAsFailed) {
  program.write("rules", "arms/blend-4.1/audit 65\n");
  run();
  const StudyResult result = write_study(real_files(), out);
  EXPECT_EQ(result.failed, 1u);
  EXPECT_THAT(read_plain_file(out / "study.html"), HasSubstr("audit.blend-4.1 ended with 65: told to fail"));
  EXPECT_THAT(read_plain_file(out / "study.csv"), HasSubstr("blend-4,4,,,"));
  const auto json = nlohmann::json::parse(read_plain_file(out / "study.json"));
  EXPECT_EQ(json["arms"][3]["verdict"], "failed");
  EXPECT_TRUE(json["arms"][3]["utility"]["value"].is_null());
  EXPECT_EQ(json["arms"][1]["verdict"], "reference") << "others are not affected";
}

TEST_F(StudyPages, CountNoArmWithAnotherNumberOfPictures) {
  run();
  std::ofstream(out / "arms/blend-4.0/released.json") << R"({"images": 44})";
  EXPECT_THAT(gather_study(out).arms[3].failure, HasSubstr("44 pictures, and every arm is to have 48"));
}

TEST_F(StudyPages, OfAnUnfinishedStudySayHowFarItIs) {
  const StudyResult result = write_study(real_files(), out);
  EXPECT_EQ(result.done, 0u);
  EXPECT_EQ(result.arms.front().verdict, "not finished");
  EXPECT_THAT(read_plain_file(out / "study.html"), HasSubstr("0 of"));
}

TEST_F(StudyPages, CsvHasALineForEachArmAndSeedOfAsManyFieldsAsTheHeading) {
  run();
  const auto lines = split(study_csv(gather_study(out)), '\n');
  ASSERT_EQ(lines.size(), 1 + 4 * 2 + 1u);
  EXPECT_THAT(lines[3], HasSubstr("facemae,1,0,0.8,0.2,0.1,0.3,A1,channel,person_to_class,6,yes,reference,"));
  for (std::size_t i = 0; i + 1 < lines.size(); ++i)
    EXPECT_EQ(std::count(lines[i].begin(), lines[i].end(), ','), 13) << lines[i];
}

TEST_F(StudyPages, AProtocolIsReadBackAsItWasWritten) {
  const StudyProtocol read = read_protocol(out);
  EXPECT_EQ(to_json(read).dump(), to_json(protocol).dump());
  EXPECT_EQ(read.plan.units, protocol.plan.units);
  EXPECT_THAT(read_plain_file(out / "commands.txt"),
              HasSubstr("\nfacemae pretrain --store /f/train --run models/facemae.0"));
  EXPECT_EQ(shell_words({"a b", "it's", "-x=1"}), "'a b' 'it'\\''s' -x=1");
}

TEST_F(StudyPages, AnotherConfigurationIsRefusedWithWhatDiffers) {
  EXPECT_NO_THROW(expect_same_study(out, protocol.configuration));
  auto other = protocol.configuration;
  other["budget"] = "small";
  other["inputs"]["unseen"]["digest"] = "e";
  other["more"] = 1;
  const std::string fault = why<ConfigError>([&] { expect_same_study(out, other); });
  EXPECT_THAT(fault, HasSubstr("budget: was \"minutes\", is \"small\""));
  EXPECT_THAT(fault, HasSubstr("inputs/unseen/digest: was \"d\", is \"e\""));
  EXPECT_THAT(fault, HasSubstr("more: was nothing, is 1"));
  EXPECT_THAT(why<ConfigError>([&] { read_protocol(folder.path()); }), HasSubstr("no protocol.json"));
  std::ofstream(folder / "protocol.json") << "{}";
  EXPECT_THAT(why<DataError>([&] { read_protocol(folder.path()); }), HasSubstr("it is none"));
}

}  // namespace
}  // namespace facemae
