// What a verdict makes of all that is not in the report.
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
  expect_row(gate, Ruling::Pass, "");
  gate.policy["partition"]["second_release"] = "never";
  expect_row(gate, Ruling::Fail, "");
  gate.circumstances.second_release = false;
  gate.policy["partition"]["frozen_with"] = "abc";
  expect_row(gate, Ruling::Fail, "", "partition");
  gate.circumstances.partition = "abc";
  expect_row(gate, Ruling::Pass, "");
}

TEST(Circumstances, BelievesNoClaimOfDifferentialPrivacyWithoutSupport) {
  Gate gate;
  gate.found(3);
  gate.policy["dp"] = {{"claimed", true},      {"unit", "photo"}, {"mu", 1},
                       {"epsilon", 4.4},       {"delta", 1e-5},   {"composition", "one release"},
                       {"sampler", "ChaCha20"}};
  expect_row(gate, Ruling::Inconclusive, "missing", "dp_epsilon");
  gate.metric("dp_epsilon", "", 4.38, 4.38, 4.38);
  EXPECT_EQ(gate.verdict().ruling, Ruling::Pass);
  gate.report["metrics"][0]["value"] = 10;
  expect_row(gate, Ruling::Fail, "");
}

}  // namespace
}  // namespace facemae
