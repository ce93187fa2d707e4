#pragma once
// Whether an attack can be believed: it finds what was put there for it, and nothing where nothing is.
#include <string>

#include "evaluation/gate/findings.h"
#include "evaluation/gate/policy.h"

namespace facemae {

/// The first control of `attack` that is missing or does not work, as a sentence; "" when all that the policy asks for do.
/// Positive: the lower limit of the best attacker of that name reaches the policy's minimum. Negative: every interval,
/// widened for their number, covers chance.
std::string control_fault(const std::string& attack, const Policy& policy, const ReportedFindings& findings);

}  // namespace facemae
