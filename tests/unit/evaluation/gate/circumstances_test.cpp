// What a verdict makes of all that is not in the report.
#include <limits>

#include "core/error.h"
#include "tests/unit/evaluation/gate/small_gate.h"

namespace facemae {
namespace {

using namespace small_report;

TEST(Circumstances, FailsWithoutTheRightToDerive) {
  Gate gate;
  gate.found(3);
  gate.policy["licence"]["source_allows_derivatives"] = false;
  expect_row(gate, Ruling::Fail, "", "no derived set");
  gate.policy["licence"]["source_allows_derivatives"] = true;
  gate.circumstances.source_licence = "";
  expect_row(gate, Ruling::Inconclusive, "missing", "states no licence");
}

TEST(Circumstances, GoesByThePolicyThatWasNotedBeforehand) {
  Gate gate;
  gate.found(3);
  gate.noted = false;
  expect_row(gate, Ruling::Inconclusive, "missing", "reconstruct --policy");
  gate.circumstances.noted_policy = "another";
  expect_row(gate, Ruling::Fail, "", "another policy");
}

TEST(Circumstances, EndsWithThePolicy) {
  Gate gate;
  gate.found(3);
  gate.circumstances.today = "2027-05-31";
  expect_row(gate, Ruling::Pass, "");
  gate.circumstances.today = "2027-06-01";
  expect_row(gate, Ruling::Inconclusive, "missing", "valid until 2027-05-31");
}

TEST(Circumstances, GuardsThePartition) {
  Gate gate;
  gate.found(3);
  gate.circumstances.second_release = true;
  expect_row(gate, Ruling::Fail, "", "no partition to keep to");
  gate.circumstances.partition = "abc";
  expect_row(gate, Ruling::Pass, "");
  gate.policy["partition"]["second_release"] = "never";
  expect_row(gate, Ruling::Fail, "");
  gate.circumstances = kGood;
  gate.policy["partition"]["frozen_with"] = "abc";
  expect_row(gate, Ruling::Fail, "", "partition");
  gate.circumstances.partition = "abc";
  expect_row(gate, Ruling::Pass, "");
}

TEST(Circumstances, AskForASecondReleaseOnlyWhereThereIsOne) {
  Gate gate;
  gate.found(3);
  gate.require("singling_out",
               {{"metric", "two_release_intersection_naming_odds"}, {"attacks", {"A8"}}, {"max", 0.05}});
  expect_row(gate, Ruling::Inconclusive, "missing", "--attacks A0,A8");
  gate.circumstances.only_release = true;
  expect_row(gate, Ruling::Pass, "");
}

TEST(Circumstances, LetA8JudgeASecondReleaseWhereThePolicySaysSo) {
  Gate gate;
  gate.found(3);
  gate.circumstances.second_release = true;
  gate.policy["partition"]["second_release"] = "if_measured";
  EXPECT_THAT([&] { gate.verdict(); },
              testing::ThrowsMessage<ConfigError>(testing::HasSubstr("to measure it by")));
  gate.require("singling_out",
               {{"metric", "two_release_intersection_naming_odds"}, {"attacks", {"A8"}}, {"max", 0.05}});
  expect_row(gate, Ruling::Inconclusive, "missing", "--attacks A0,A8");
  gate.found(3, 300, 1, "A8");
  expect_row(gate, Ruling::Pass, "");
}

TEST(Circumstances, BelievesNoClaimOfDifferentialPrivacyWithoutSupport) {
  Gate gate;
  gate.found(3);
  gate.policy["dp"] = {{"claimed", true},      {"unit", "photo"}, {"mu", 1},
                       {"epsilon", 4.4},       {"delta", 1e-5},   {"composition", "one release"},
                       {"sampler", "ChaCha20"}};
  gate.metric("dp_epsilon", "", 4.38, 4.38, 4.38);
  expect_row(gate, Ruling::Inconclusive, "missing", "nothing supports the claim");  // whatever a report says
  gate.circumstances.code_noise = 1;                                                // epsilon 4.38 at 1e-5
  expect_row(gate, Ruling::Pass, "");
  gate.policy["dp"]["epsilon"] = 4.3;
  expect_row(gate, Ruling::Fail, "", "epsilon 4.38");
  gate.policy["dp"]["epsilon"] = 4.4;
  gate.circumstances.code_noise = 1.01;
  expect_row(gate, Ruling::Fail, "", "policy claims 1");
  gate.circumstances.code_noise = std::numeric_limits<double>::infinity();
  expect_row(gate, Ruling::Fail, "", "policy claims 1");
  gate.circumstances.code_noise = 1;
  gate.policy["dp"]["unit"] = "person";
  expect_row(gate, Ruling::Fail, "", "unit of the release is \"photo\"");
  gate.policy["dp"]["unit"] = "photo";
  gate.circumstances.second_release = true;
  gate.circumstances.partition = "abc";
  expect_row(gate, Ruling::Inconclusive, "missing", "add up");
}

}  // namespace
}  // namespace facemae
