#include "evaluation/gate/verdict.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/evaluation/gate/small_gate.h"

namespace facemae {
namespace {

using namespace small_report;
using nlohmann::json;
using testing::HasSubstr;

TEST(GateVerdict, PassesWhenTheUpperLimitIsBelowTheThreshold) {
  Gate gate;
  gate.found(3);  // upper limit 2.6 %
  expect_row(gate, Ruling::Pass, "");
}

TEST(GateVerdict, FailsWhenTheLowerLimitIsAboveTheThreshold) {
  Gate gate;
  gate.found(45);
  expect_row(gate, Ruling::Fail, "", "less leakage");
}

TEST(GateVerdict, CannotTellBetweenThemAndSaysHowManyPeopleWould) {
  Gate gate;
  gate.found(10);  // 3.3 %, 1.8 to 5.6
  expect_row(gate, Ruling::Inconclusive, "power", "people who count fully");
  Gate above;
  above.found(18);  // 6 %: failing is not shown either
  expect_row(above, Ruling::Inconclusive, "power", "less leakage will");
}

TEST(GateVerdict, DividesByThePeopleOfAClass) {
  Gate plain, blend;
  plain.found(40);
  blend.found(40, 300, 4);  // 13.3 % / 4
  EXPECT_EQ(plain.row().ruling, Ruling::Fail);
  expect_row(blend, Ruling::Pass, "");
}

TEST(GateVerdict, CorrectsFailuresForTheNumberOfAttacksAndPassesNot) {
  // 25 of 300: the lower limit is above 5 % at 0.05, and below it at 0.05 / 9.
  Gate one, nine;
  one.found(25);
  EXPECT_EQ(one.row().ruling, Ruling::Fail);
  nine.policy["require"]["linkability"][0]["attacks"] = {"A1", "A0", "A2", "A4", "A5",
                                                         "A6", "A7", "A8", "A9"};
  nine.found(25);
  const auto rows = nine.verdict().rows;
  const auto a1 =
      std::find_if(rows.begin(), rows.end(), [](const VerdictRow& row) { return row.attack == "A1"; });
  ASSERT_NE(a1, rows.end());
  EXPECT_EQ(a1->cause, "power");
  EXPECT_LT(a1->figure.low, 0.05);
}

TEST(GateVerdict, OfAnAttackThatDidNotRunIsInconclusive) {
  Gate gate;
  expect_row(gate, Ruling::Inconclusive, "missing", "audit --attacks A1");
}

TEST(GateVerdict, NeedsTheClassLevelOfEachAttack) {
  Gate gate;
  gate.report["measurements"].push_back(measurement("A1", "own_picture", 0, 300));
  expect_row(gate, Ruling::Inconclusive, "missing", "class level");
}

TEST(GateVerdict, TakesTheClassLevelOfAllAttacksForA3) {
  Gate gate;
  gate.policy["require"]["linkability"][0]["attacks"] = {"A3"};
  gate.found(3, 300, 1, "A0");
  expect_row(gate, Ruling::Pass, "");
  gate.found(60, 300, 1, "A4");
  expect_row(gate, Ruling::Fail, "");
  gate.report["controls"] = json::array();
  expect_row(gate, Ruling::Inconclusive, "control");
}

TEST(GateVerdict, NeedsEachNumberOfPairsThatThePolicyNames) {
  Gate gate;
  gate.found(3, 300, 1, "A1", "all");
  expect_row(gate, Ruling::Inconclusive, "missing", "did not learn from 100 pairs");
  gate.found(3, 300, 1, "A1", "100");
  expect_row(gate, Ruling::Pass, "");
  gate.found(60, 300, 1, "A1", "100");  // another level or attacker: the worst one counts
  expect_row(gate, Ruling::Fail, "");
}

TEST(GateVerdict, BelievesNoAttackWhosePositiveControlIsNotFound) {
  Gate gate;
  gate.found(0);
  gate.report["controls"][2] = control("A1", "planted", "positive", 0.6, 0.4, 0.8, 0.95);
  expect_row(gate, Ruling::Inconclusive, "control", "planted is found at 60.0 %");
  gate.report["controls"].push_back(
      control("A1", "Planted", "positive", 1, 0.9, 1, 0.95));  // another attacker of A1
  expect_row(gate, Ruling::Pass, "");
}

TEST(GateVerdict, BelievesNoAttackThatFindsSomethingWhereNothingIs) {
  Gate gate;
  gate.found(0);
  gate.report["controls"][3] = control("A1", "shuffled links", "negative", 0.2, 0.15, 0.25, 0.01);
  expect_row(gate, Ruling::Inconclusive, "control", "not at chance");
}

TEST(GateVerdict, BelievesNoAttackWithoutItsControls) {
  Gate gate;
  gate.found(0);
  gate.report["controls"] = json::array();
  expect_row(gate, Ruling::Inconclusive, "control", "planted did not run with A1");
  EXPECT_EQ(Gate{}.row().cause, "missing");
}

TEST(GateVerdict, AFailureNeedsWorkingControlsToo) {
  Gate gate;
  gate.found(150);
  gate.report["controls"] = json::array();
  expect_row(gate, Ruling::Inconclusive, "control");
}

TEST(GateVerdict, AsksForEnoughPeople) {
  Gate few;
  few.found(0, 90);
  expect_row(few, Ruling::Inconclusive, "sample", "90 people, but the policy asks for 100");
  // 300 people, but one of them has nearly all of the trials.
  Gate uneven;
  uneven.found(0);
  uneven.report["measurements"][0]["trials"][0] = 1000;
  expect_row(uneven, Ruling::Inconclusive, "sample", "effective people");
  Gate untaught;
  untaught.found(0, 300, 1, "A1", "all");
  untaught.found(0, 300, 1, "A1", "100");
  untaught.report["measurements"][0]["attacker_people"] = 20;
  expect_row(untaught, Ruling::Inconclusive, "sample", "20 people whom the attacker learnt from");
  untaught.report["measurements"][0].erase("attacker_people");
  expect_row(untaught, Ruling::Inconclusive, "sample", "does not say how many people whom");
}

TEST(GateVerdict, AsksForEnoughPairsOfPeople) {
  Gate gate;
  gate.require("linkability", {{"metric", "tar_at_far"},
                               {"attacks", {"A4"}},
                               {"far", 0.001},
                               {"max", 0.05},
                               {"person_pairs_min", 30000}});
  expect_row(gate, Ruling::Inconclusive, "missing", "no metric tar_at_far of A4 at 0.001");
  gate.metric("tar_at_far", "A4", 0.01, 0.005, 0.02,
              {{"far", 0.01}, {"people", 300}, {"person_pairs", 44850}});
  expect_row(gate, Ruling::Inconclusive, "missing");  // at another rate
  gate.metric("tar_at_far", "A4", 0.01, 0.005, 0.02,
              {{"far", 0.001}, {"people", 300}, {"person_pairs", 7140}});
  expect_row(gate, Ruling::Inconclusive, "sample", "7140 pairs of people");
  gate.report["metrics"][1]["person_pairs"] = 44850;
  expect_row(gate, Ruling::Pass, "");
  gate.report["metrics"][1].erase("people");
  expect_row(gate, Ruling::Inconclusive, "sample", "does not say how many people");
  gate.report["metrics"][1]["people"] = 300;
  gate.report["metrics"][1]["high"] = 0.06;
  expect_row(gate, Ruling::Inconclusive, "power");
  gate.report["metrics"][1]["value"] = nullptr;
  expect_row(gate, Ruling::Inconclusive, "missing", "could not be measured");
}

TEST(GateVerdict, AsksForEnoughNonMembers) {
  Gate gate;
  gate.require("inference",
               {{"metric", "membership_tpr"}, {"attacks", {"A10"}}, {"fpr", 0.05}, {"max", 0.2}});
  gate.metric("membership_tpr", "A10", 0.1, 0.06, 0.15, {{"fpr", 0.05}, {"people", 300}});
  expect_row(gate, Ruling::Inconclusive, "sample", "how many non-members");
  gate.report["metrics"][0]["nonmembers"] = 50;
  expect_row(gate, Ruling::Inconclusive, "sample", "50 non-members");
  gate.report["metrics"][0]["nonmembers"] = 200;
  expect_row(gate, Ruling::Pass, "");
}

TEST(GateVerdict, ReadsMembershipFromItsLevelAsWell) {
  Gate gate;
  gate.require("inference",
               {{"metric", "membership_tpr"}, {"attacks", {"A10"}}, {"fpr", 0.01}, {"max", 0.2}});
  json level = measurement("A10", "membership", 12, 300);
  level["nonmembers"] = 400;
  gate.report["measurements"].push_back(level);
  expect_row(gate, Ruling::Pass, "");
  gate.require("linkability", {{"metric", "naming_odds"}, {"attacks", {"A10"}}, {"max", 0.2}});
  expect_row(gate, Ruling::Inconclusive, "missing");  // membership names nobody
}

TEST(GateVerdict, KnowsThatALargerGalleryHidesMore) {
  Gate gate;
  gate.require("linkability",
               {{"metric", "own_picture_rank1"}, {"attacks", {"A0"}}, {"max", 0.05}, {"gallery", 1000}});
  gate.report["measurements"].push_back(measurement("A0", "own_picture", 0, 300));
  gate.report["measurements"][0]["chance"] = 0.001;
  expect_row(gate, Ruling::Pass, "");
  gate.report["measurements"][0]["chance"] = 0.0001;
  expect_row(gate, Ruling::Inconclusive, "sample", "searched among 10000 photos");
}

TEST(GateVerdict, AsksNoBlendForPicturesOfItsOwn) {
  Gate gate;
  gate.require("linkability", {{"metric", "own_picture_rank1"}, {"attacks", {"A0"}}, {"max", 0.05}});
  gate.found(3, 300, 4, "A0");
  expect_row(gate, Ruling::Pass, "");
  EXPECT_EQ(gate.row().level, "pictures of groups have none");
}

TEST(GateVerdict, OfGroupsAndTheMostExposed) {
  Gate gate;
  gate.require("singling_out", {{"metric", "k_min"}, {"min", 4}});
  gate.found(0, 300, 4);
  expect_row(gate, Ruling::Pass, "");
  gate.found(0, 300, 2);
  expect_row(gate, Ruling::Fail, "");
  gate.require("singling_out",
               {{"metric", "most_exposed_percent_naming_odds"}, {"percent", 1}, {"max", 0.25}});
  Gate exposed = gate;
  exposed.report["measurements"] = json::array();
  exposed.found(150, 300, 4);  // whoever is found is one of four: 25 % at most
  expect_row(exposed, Ruling::Pass, "");
  // Three people out of 300 are found in all of their 16 pictures, others never.
  exposed.report["measurements"] = json::array();
  exposed.found(0, 300, 1);
  auto& one = exposed.report["measurements"][0];
  for (auto& trials : one["trials"]) trials = 16;
  expect_row(exposed, Ruling::Pass, "");
  for (int i = 0; i < 3; ++i) one["hits"][static_cast<std::size_t>(i)] = 16;
  expect_row(exposed, Ruling::Fail, "");
}

TEST(GateVerdict, OfExactFiguresNeedsNoInterval) {
  Gate gate;
  gate.require("metadata", {{"metric", "exact_links"}, {"attacks", {"A14"}}, {"max", 0}});
  gate.metric("exact_links", "A14", 0, 0, 0);
  expect_row(gate, Ruling::Pass, "");
  gate.report["metrics"][0] = {
      {"metric", "exact_links"}, {"attack", "A14"}, {"value", 3}, {"low", 3}, {"high", 3}};
  expect_row(gate, Ruling::Fail, "");
}

TEST(GateVerdict, ShowsUtilityWithoutJudgingIt) {
  Gate gate;
  gate.found(3);
  gate.policy["require"]["utility"] =
      json::array({{{"metric", "accuracy_difference_to_plain"}, {"min", -0.02}, {"gate", false}}});
  EXPECT_EQ(gate.verdict().ruling, Ruling::Pass);
  gate.metric("accuracy_difference_to_plain", "", -0.1, -0.12, -0.08);
  const GateVerdict verdict = gate.verdict();
  EXPECT_EQ(verdict.rows.back().ruling, Ruling::Fail);
  EXPECT_EQ(verdict.ruling, Ruling::Pass);
}

TEST(GateVerdict, IsTheWorstOfItsRows) {
  Gate gate;
  gate.policy["require"]["linkability"][0]["attacks"] = {"A1", "A4"};
  gate.found(3);
  EXPECT_EQ(gate.verdict().ruling, Ruling::Inconclusive);
  gate.found(100, 300, 1, "A4");
  EXPECT_EQ(gate.verdict().ruling, Ruling::Fail);
  const std::string text = verdict_text(gate.verdict());
  EXPECT_THAT(text, HasSubstr("verdict: FAIL"));
  EXPECT_THAT(text, HasSubstr("\nlinkability\n  naming_odds"));
  EXPECT_EQ(to_json(gate.verdict()).at("verdict"), "FAIL");
}

TEST(GateVerdict, JudgesThePairsThatThePolicyNamesAndCountsTeachersOfAllAlone) {
  Gate gate;
  for (const char* pairs : {"100", "500", "all"}) gate.found(3, 300, 1, "A1", pairs);
  gate.report["measurements"][0]["attacker_people"] = 8;  // few classes are 100 pictures
  gate.report["measurements"][1]["attacker_people"] = 8;
  for (auto& hit : gate.report["measurements"][1]["hits"]) hit = 1;  // 500: not in the policy
  expect_row(gate, Ruling::Pass, "");
  gate.report["measurements"][2]["attacker_people"] = 8;
  expect_row(gate, Ruling::Inconclusive, "sample", "whom the attacker learnt from");
}

TEST(GateVerdict, LeavesWhatSeveralReleasesShowToItsOwnMetric) {
  Gate gate;
  gate.require("singling_out", {{"metric", "k_min"}, {"min", 4}});
  gate.found(3, 300, 4);
  gate.found(3, 300, 1, "A8");  // of one person, by the classes of several releases
  expect_row(gate, Ruling::Pass, "");
}

TEST(GateVerdict, CountsAllPeopleOfTheClassesThatWereTried) {
  Gate gate;
  gate.report["measurements"].push_back(measurement("A1", "class_to_person", 1, 99, 4));
  expect_row(gate, Ruling::Pass, "");
  gate.policy["sample"]["people_min"] = 397;
  expect_row(gate, Ruling::Inconclusive, "sample", "396 people");
}

}  // namespace
}  // namespace facemae
