#pragma once
// What the policy's requirements are compared with: figures of one attack, one number of pairs and one level, with what
// they rest on.
#include <optional>
#include <string>
#include <vector>

#include "evaluation/gate/findings.h"
#include "evaluation/gate/policy.h"

namespace facemae {

struct GateCase {
  /// That found this, and whose controls must work: cases of A3, or of no attack, are of several. "" none.
  std::string attack;
  std::string pairs, level;
  Figure figure;        ///< with one-sided limits (VerdictRow::figure)
  std::string missing;  ///< what was not measured, and how it would be; then nothing else counts
  double people_per_class = 1;
  bool by_people = false, of_members = false;
  bool learnt = false;  ///< the attacker learnt from pairs
  std::optional<double> people, effective, attacker_people, nonmembers, person_pairs;
  double gallery = 0;  ///< real photos that were searched; 0 unknown
};

/// All that the report has for this attack ("" for metrics of none), and a missing case for whatever it lacks.
std::vector<GateCase> gate_cases(const Requirement& requirement, const std::string& attack,
                                 const Policy& policy, const ReportedFindings& findings);

}  // namespace facemae
