#include "evaluation/gate/verdict.h"

#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "core/text.h"
#include "evaluation/gate/controls.h"
#include "evaluation/gate/evidence_cases.h"
#include "evaluation/statistics/gaussian_privacy.h"
#include "evaluation/statistics/sample_size.h"

namespace facemae {
namespace {

VerdictRow inconclusive(VerdictRow row, const std::string& cause, const std::string& help) {
  row.ruling = Ruling::Inconclusive;
  row.cause = cause;
  row.help = help;
  return row;
}

/// Where the limits lie: the rule itself.
VerdictRow compare(VerdictRow row, const GateCase& item, const Policy& policy) {
  const bool fails = row.at_least ? row.figure.high < row.limit : row.figure.low > row.limit;
  const bool passes = row.at_least ? row.figure.low >= row.limit : row.figure.high <= row.limit;
  if (fails) {
    row.ruling = Ruling::Fail;
    row.help = "less leakage: larger groups, a higher mask ratio, or no release";
    return row;
  }
  row.ruling = Ruling::Pass;
  if (passes) return row;
  const double scale = item.people_per_class;  // odds -> what is counted by person
  const std::string advice =
      row.at_least ? "more people"
                   : sample_size_advice(row.limit * scale, row.figure.value * scale, policy.alpha);
  return inconclusive(std::move(row), "power", advice);
}

/// What the sample lacks, "" nothing.
std::string sample_fault(const GateCase& item, const Requirement& requirement, const Policy::Sample& sample) {
  const auto few = [](const char* what, double has, double needs) {
    return fmt::format("{:.0f} {}, but the policy asks for {:.0f}", has, what, needs);
  };
  const auto lacks = [&](const char* what, const std::optional<double>& has, double needs) -> std::string {
    if (needs <= 0) return "";
    if (!has)
      return fmt::format("the report does not say how many {} there were (the policy asks for {:.0f})", what,
                         needs);
    return *has < needs ? few(what, *has, needs) : "";
  };
  std::string fault;
  if (item.by_people) {
    fault = lacks("people", item.people, static_cast<double>(sample.people_min));
    if (fault.empty() && item.effective)
      fault = lacks("effective people", item.effective, sample.people_effective_min);
  }
  if (fault.empty() && item.learnt)
    fault = lacks("people whom the attacker learnt from", item.attacker_people,
                  static_cast<double>(sample.attacker_people_min));
  if (fault.empty() && item.of_members)
    fault = lacks("non-members", item.nonmembers, static_cast<double>(sample.nonmembers_min));
  if (fault.empty())
    fault = lacks("pairs of people", item.person_pairs, static_cast<double>(requirement.person_pairs_min));
  if (fault.empty() && requirement.gallery > 0 &&
      item.gallery > static_cast<double>(requirement.gallery) + 0.5)
    fault = fmt::format("searched among {:.0f} photos: among the {} of the policy the attack would find more",
                        item.gallery, requirement.gallery);
  return fault;
}

VerdictRow judge_case(VerdictRow row, const GateCase& item, const Requirement& requirement,
                      const Policy& policy, const ReportedFindings& findings) {
  row.pairs = item.pairs;
  row.level = item.level;
  row.figure = item.figure;
  if (!item.missing.empty()) return inconclusive(std::move(row), "missing", item.missing);
  if (const std::string fault = control_fault(item.attack, policy, findings); !fault.empty())
    return inconclusive(std::move(row), "control", fault);
  if (const std::string fault = sample_fault(item, requirement, policy.sample); !fault.empty())
    return inconclusive(std::move(row), "sample", fault);
  return compare(std::move(row), item, policy);
}

/// The worst of the rows of one attack and number of pairs, which differ by level and attacker.
bool worse(const VerdictRow& a, const VerdictRow& b) {
  if (a.ruling != b.ruling) return a.ruling > b.ruling;
  return a.at_least ? a.figure.low < b.figure.low : a.figure.high > b.figure.high;
}

std::vector<VerdictRow> judge_requirement(const Requirement& requirement, const Policy& policy,
                                          const ReportedFindings& findings,
                                          const Circumstances& circumstances) {
  std::vector<VerdictRow> rows;
  const auto attacks = requirement.attacks.empty() ? std::vector<std::string>{""} : requirement.attacks;
  for (const std::string& attack : attacks) {
    const VerdictRow blank{.block = requirement.block,
                           .metric = requirement.metric,
                           .attack = attack,
                           .gate = requirement.gate,
                           .limit = requirement.min ? *requirement.min : *requirement.max,
                           .at_least = requirement.min.has_value()};
    if (requirement.metric == "two_release_intersection_naming_odds" && circumstances.only_release) {
      rows.push_back(blank);
      rows.back().level = "no other release of these photos";
      rows.back().figure = {0, 0, 0};
      rows.back().ruling = Ruling::Pass;
      continue;
    }
    for (const GateCase& item : gate_cases(requirement, attack, policy, findings)) {
      VerdictRow row = judge_case(blank, item, requirement, policy, findings);
      const auto same = std::find_if(rows.begin(), rows.end(), [&](const VerdictRow& other) {
        return other.attack == row.attack && other.pairs == row.pairs;
      });
      if (same == rows.end())
        rows.push_back(std::move(row));
      else if (worse(row, *same))
        *same = std::move(row);
    }
  }
  return rows;
}

/// A claim of differential privacy holds of a release of noisy codes alone, for a photo, and of one release.
VerdictRow judge_claim(const DpClaim& claim, const Circumstances& circumstances) {
  VerdictRow row{.block = "dp", .metric = "dp_epsilon", .limit = claim.epsilon};
  const double mu = circumstances.code_noise;
  if (mu <= 0)
    return inconclusive(
        std::move(row), "missing",
        "nothing supports the claim: the release was made without --code-noise mu:X, or by a model without a code");
  if (circumstances.second_release)
    return inconclusive(std::move(row), "missing",
                        "the claim is of one release, and the ledger has an earlier one of these photos: "
                        "their mu_i add up to sqrt(sum of mu_i^2)");
  row.ruling = Ruling::Fail;
  if (claim.unit != "photo") {
    row.help = "the unit of the release is \"photo\", and the policy claims \"" + claim.unit + "\"";
    return row;
  }
  if (mu > claim.mu) {
    row.help = fmt::format("the release has mu {:g}, and the policy claims {:g}", mu, claim.mu);
    return row;
  }
  const double epsilon = epsilon_of(mu, claim.delta);
  row.figure = {epsilon, epsilon, epsilon};
  if (epsilon <= claim.epsilon)
    row.ruling = Ruling::Pass;
  else
    row.help = fmt::format("mu {:g} is epsilon {:.2f} at delta {:g}", mu, epsilon, claim.delta);
  return row;
}

/// What is judged without any attack.
std::vector<VerdictRow> judge_circumstances(const Policy& policy, const Circumstances& circumstances) {
  std::vector<VerdictRow> rows;
  const auto add = [&](const char* block, const char* what, Ruling ruling, const std::string& cause,
                       const std::string& help) {
    rows.push_back({.block = block, .metric = what, .ruling = ruling, .cause = cause, .help = help});
  };
  if (!policy.source_allows_derivatives)
    add("licence", "derivatives", Ruling::Fail, "",
        "the policy says that the source's licence allows no derived set");
  else if (circumstances.source_licence.empty())
    add("licence", "derivatives", Ruling::Inconclusive, "missing",
        "the source states no licence: somebody must read it, and the store be packed with it (`facemae pack --help`)");
  else
    add("licence", "derivatives", Ruling::Pass, "", "");
  if (circumstances.noted_policy.empty())
    add("policy", "written beforehand", Ruling::Inconclusive, "missing",
        "the release was made without a policy: give it to `facemae reconstruct --policy`, before anybody has seen a figure");
  else if (circumstances.noted_policy != policy.digest)
    add("policy", "written beforehand", Ruling::Fail, "",
        "the release was made under another policy, with the digest " + circumstances.noted_policy);
  else
    add("policy", "written beforehand", Ruling::Pass, "", "");
  if (circumstances.today > policy.valid_until)
    add("policy", "still valid", Ruling::Inconclusive, "missing",
        "it was valid until " + policy.valid_until + ": look at the risk anew and write a new one");
  if (circumstances.second_release && policy.second_release == "never")
    add("partition", "one release", Ruling::Fail, "",
        "the policy allows one release of these photos, and the ledger has an earlier one");
  if (circumstances.second_release && policy.second_release == "same_partition_only" &&
      circumstances.partition.empty())
    add("partition", "one release", Ruling::Fail, "",
        "the ledger has an earlier release of these photos, and this one has no partition to keep to: "
        "two rebuilt pictures of a photo, by two masks, give away more than one (\"if_measured\" lets A8 judge that)");
  if (!policy.frozen_with.empty() && policy.frozen_with != circumstances.partition)
    add("partition", "frozen", Ruling::Fail, "",
        "the release was not made with the partition that the policy names");
  if (policy.dp) rows.push_back(judge_claim(*policy.dp, circumstances));
  return rows;
}

}  // namespace

const char* name_of(Ruling ruling) {
  switch (ruling) {
    case Ruling::Pass:
      return "PASS";
    case Ruling::Fail:
      return "FAIL";
    default:
      return "INCONCLUSIVE";
  }
}

GateVerdict judge(const Policy& policy, const ReportedFindings& findings,
                  const Circumstances& circumstances) {
  GateVerdict verdict{.ruling = Ruling::Pass, .rows = judge_circumstances(policy, circumstances)};
  for (const Requirement& requirement : policy.requirements)
    for (VerdictRow& row : judge_requirement(requirement, policy, findings, circumstances))
      verdict.rows.push_back(std::move(row));
  for (const VerdictRow& row : verdict.rows)
    if (row.gate) verdict.ruling = std::max(verdict.ruling, row.ruling);
  return verdict;
}

}  // namespace facemae
