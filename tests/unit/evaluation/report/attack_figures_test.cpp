#include "evaluation/report/attack_figures.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(AttackFigures, AreTheMetricsOfTheReportAndATable) {
  const std::vector<AttackFigure> figures{
      {.metric = "membership_tpr",
       .attack = "A11",
       .attacker = "error",
       .fpr = 0.05,
       .found = {0.25, 0.125, 0.5},
       .people = 40,
       .nonmembers = 300},
      {.metric = "attribute_residual_risk", .attack = "A13", .of = "beard"}};
  const auto json = to_json(figures);
  EXPECT_EQ(
      json[0].dump(),
      R"({"attack":"A11","attacker":"error","fpr":0.05,"high":0.5,"low":0.125,"metric":"membership_tpr",)"
      R"("nonmembers":300,"people":40,"value":0.25})");
  EXPECT_EQ(json[1]["of"], "beard");
  EXPECT_FALSE(json[1].contains("fpr"));
  const auto table = figures_table(figures);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0][2], "membership_tpr at 5 % false positives");
  EXPECT_EQ(table.rows[0][4], "0.125 to 0.500");
  EXPECT_EQ(table.rows[1][2], "attribute_residual_risk: beard");
}

}  // namespace
}  // namespace facemae
