#pragma once
// PASS, FAIL or INCONCLUSIVE: a pure function of what an audit found and what the policy asks (docs/PRIVACY.md,
// "The verdict").
#include <string>
#include <vector>

#include "evaluation/gate/findings.h"
#include "evaluation/gate/policy.h"

namespace facemae {

/// The better one first: the worst of several is the greatest.
enum class Ruling { Pass, Inconclusive, Fail };
const char* name_of(Ruling ruling);  ///< "PASS", ...

/// One line: a requirement, an attack, a number of pairs that it learnt from.
struct VerdictRow {
  std::string block, metric, attack, pairs, level;
  Ruling ruling = Ruling::Inconclusive;
  bool gate = true;  ///< false: does not count
  Figure
      figure;  ///< value with one-sided limits: low at alpha / attacks, high at alpha (for a min: exchanged)
  double limit = 0;       ///< of the policy
  bool at_least = false;  ///< the limit is a minimum
  std::string cause;      ///< of INCONCLUSIVE: "missing", "control", "sample", "power"
  std::string help;       ///< what would help, one sentence; "" for PASS
};

/// What is known of a release beside its audit.
struct Circumstances {
  std::string today;            ///< ISO date
  std::string source_licence;   ///< as the store carries it
  std::string noted_policy;     ///< digest that was noted before the release was made, "" none
  std::string partition;        ///< digest of the partition that it was made with, "" none
  bool second_release = false;  ///< the ledger has an earlier one of the same photos
  bool only_release = false;    ///< no other release in the ledger shows any of its photos
  double code_noise = 0;  ///< mu of its Gaussian differential privacy for a photo; 0: no noise was added
};

struct GateVerdict {
  Ruling ruling = Ruling::Inconclusive;
  std::vector<VerdictRow> rows;
};

GateVerdict judge(const Policy& policy, const ReportedFindings& findings, const Circumstances& circumstances);

/// For people: a table, then what would help.
std::string verdict_text(const GateVerdict& verdict);
nlohmann::ordered_json to_json(const GateVerdict& verdict);

}  // namespace facemae
