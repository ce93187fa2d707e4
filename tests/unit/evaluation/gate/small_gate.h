#pragma once
// A policy, a report and circumstances in which everything is in order, for tests that change one thing at a time.
#include <gmock/gmock.h>

#include <string>

#include "evaluation/gate/verdict.h"
#include "tests/unit/evaluation/gate/small_report.h"

namespace facemae::small_report {

using nlohmann::json;

inline const Circumstances kGood{
    .today = "2026-06-01", .source_licence = "CC BY", .noted_policy = "", .partition = ""};

/// One requirement at a time, everything else in order.
struct Gate {
  json policy = {
      {"facemae_policy", 1},
      {"name", "test"},
      {"recipient", "public"},
      {"alpha", 0.05},
      {"threat",
       {{"gallery", "source_photos"},
        {"pairs", {"100", "all"}},
        {"weights_known", true},
        {"mechanism_known", true},
        {"secret_known", false}}},
      {"sample",
       {{"people_min", 100},
        {"people_effective_min", 80},
        {"nonmembers_min", 100},
        {"attacker_people_min", 100}}},
      {"require", {{"linkability", {{{"metric", "naming_odds"}, {"attacks", {"A1"}}, {"max", 0.05}}}}}},
      {"controls",
       {{"positive", {{{"name", "planted"}, {"attacks", "all"}, {"min", 0.65}}}},
        {"negative", {{{"name", "shuffled_links"}, {"covers_chance", true}}}}}},
      {"dp", {{"claimed", false}}},
      {"licence", {{"source_allows_derivatives", true}, {"statement", "read"}}},
      {"partition", {{"second_release", "same_partition_only"}}},
      {"valid_until", "2027-05-31"},
      {"on_inconclusive", "refuse"},
      {"reports", {{"pictures", "released"}}}};
  json report = report_of("d1");
  Circumstances circumstances = kGood;
  bool noted = true;

  Gate() {
    for (const char* attack : {"A0", "A1", "A4", "A5", "A10"}) {
      report["controls"].push_back(control(attack, "planted", "positive", 1, 0.9, 1, 0.95));
      report["controls"].push_back(control(attack, "shuffled links", "negative", 0.01, 0.002, 0.03, 0.01));
    }
  }
  void require(const char* block, json requirement) {
    policy["require"] = {{block, json::array({std::move(requirement)})}};
  }
  void found(int hits, int people = 300, int people_per_class = 1, const char* attack = "A1",
             const char* pairs = "") {
    report["measurements"].push_back(
        measurement(attack, "person_to_class", hits, people, people_per_class, pairs));
  }
  void metric(const char* name, const char* attack, double value, double low, double high,
              const json& more = json::object()) {
    json item = {{"metric", name}, {"attack", attack}, {"value", value}, {"low", low}, {"high", high}};
    item.update(more);
    report["metrics"].push_back(item);
  }
  GateVerdict verdict() {
    const Policy read = policy_from(policy.dump(), "policy");
    if (noted) circumstances.noted_policy = read.digest;
    return judge(read, findings_from(report.dump(), "report"), circumstances);
  }
  /// The row of the one requirement that did not pass, or of the last.
  VerdictRow row() {
    const GateVerdict all = verdict();
    for (const VerdictRow& row : all.rows)
      if (row.ruling != Ruling::Pass) return row;
    return all.rows.back();
  }
};

inline void expect_row(Gate& gate, Ruling ruling, const std::string& cause, const std::string& help = "") {
  const VerdictRow row = gate.row();
  EXPECT_EQ(row.ruling, ruling) << verdict_text(gate.verdict());
  EXPECT_EQ(row.cause, cause) << verdict_text(gate.verdict());
  EXPECT_THAT(row.help, testing::HasSubstr(help));
  EXPECT_EQ(gate.verdict().ruling, ruling);
}

}  // namespace facemae::small_report
