#include "evaluation/gate/controls.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <string_view>

#include "core/log.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

std::vector<const ReportedControl*> results_of(const std::string& attack, const ControlRule& rule,
                                               const ReportedFindings& findings) {
  std::vector<const ReportedControl*> results;
  for (const ReportedControl& result : findings.controls)
    if (result.attack == attack && result.positive == rule.positive &&
        plain_name(result.control) == plain_name(rule.name))
      results.push_back(&result);
  return results;
}

/// A8 looks by attackers whose own controls stand in the report, A14 looks at files, and of A11 and A13 nobody knows what
/// they must find. A rule for all attacks is not for them.
constexpr std::array<std::string_view, 4> kWithoutControls = {"A8", "A11", "A13", "A14"};

bool concerns(const ControlRule& rule, const std::string& attack) {
  if (rule.attacks.empty())
    return std::find(kWithoutControls.begin(), kWithoutControls.end(), attack) == kWithoutControls.end();
  return std::find(rule.attacks.begin(), rule.attacks.end(), attack) != rule.attacks.end();
}

/// A 95 % interval, as wide as one of `count` must be for all of them to hold together.
bool covers(const Figure& figure, double chance, std::size_t count) {
  const boost::math::normal normal;
  const double wider =
      quantile(complement(normal, kTail / static_cast<double>(count))) / quantile(complement(normal, kTail));
  return figure.value - wider * (figure.value - figure.low) <= chance &&
         chance <= figure.value + wider * (figure.high - figure.value);
}

}  // namespace

std::string control_fault(const std::string& attack, const Policy& policy, const ReportedFindings& findings) {
  if (attack.empty()) return "";
  for (const ControlRule& rule : policy.controls) {
    if (!concerns(rule, attack)) continue;
    const auto results = results_of(attack, rule, findings);
    if (results.empty())
      return fmt::format("the control {} did not run with {}: run the audit with it", rule.name, attack);
    if (rule.positive) {
      const auto* best = *std::max_element(results.begin(), results.end(), [](const auto* a, const auto* b) {
        return a->figure.low < b->figure.low || std::isnan(a->figure.low);
      });
      if (!(best->figure.low >= rule.min))
        return fmt::format(
            "the control {} is found at {:.1f} % (at least {:.1f}), but must be at {:.1f}: a better attacker or more of the control",
            rule.name, 100 * best->figure.value, 100 * best->figure.low, 100 * rule.min);
    } else {
      for (const auto* result : results)
        if (!covers(result->figure, result->limit, results.size()))
          return fmt::format(
              "the control {} is at {:.1f} to {:.1f} %, not at chance ({:.2f} %): the attack or its links are wrong",
              rule.name, 100 * result->figure.low, 100 * result->figure.high, 100 * result->limit);
    }
  }
  return "";
}

}  // namespace facemae
