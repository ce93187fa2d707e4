// Policies and reports, and the verdict on both (evaluation/gate).
#include "evaluation/gate/verdict.h"
#include "evaluation/statistics/measurement.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

const std::string kReport = R"({"facemae_audit": )" + std::to_string(kReportVersion) +
                            R"(, "facts": [{"name": "release digest", "value": "d"}],
"measurements": [{"attack": "A1", "attacker": "x", "level": "person_to_class", "control": "", "pairs": "all", "chance": 0.1,
"people_per_class": 4, "attacker_people": 9, "hits": [1, 0], "trials": [2, 1]}],
"metrics": [{"metric": "dsys", "attack": "A4", "value": 0.1, "low": 0, "high": null, "people": 3}],
"controls": [{"attack": "A1", "control": "planted", "kind": "positive", "value": 1, "low": 0.8, "high": 1, "limit": 0.9, "works": true}]})";

}  // namespace

/// "p" and a policy, or "r" and a report, which is judged by a policy of our own.
void parse(std::string_view input) {
  if (input.empty()) return;
  const std::string text(input.substr(1));
  if (input[0] == 'p') {
    const Policy policy = policy_from(text, "input");
    require(!policy.requirements.empty() && policy.alpha > 0, "what is read can be judged by");
    const GateVerdict verdict = judge(policy, findings_from(kReport, "report"), {});
    require(verdict.ruling != Ruling::Pass, "nothing was noted beforehand");
  } else {
    const Policy policy = policy_from(built_in_policies()[0].text, "ours");
    const GateVerdict verdict = judge(policy, findings_from(text, "input"), {});
    require(!verdict_text(verdict).empty(), "a verdict can be told");
    require(verdict.ruling == Ruling::Fail, "the policy allows no derived set");
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> all{"r" + kReport};
  for (const BuiltInPolicy& policy : built_in_policies()) all.push_back(std::string("p") + policy.text);
  return all;
}

}  // namespace facemae::fuzz
