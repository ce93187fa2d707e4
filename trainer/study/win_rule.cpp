// The win rule of a study, applied to the figures of its arms as it was written down before they were known.
#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "core/text.h"
#include "evaluation/statistics/mean.h"
#include "trainer/study/results.h"

namespace facemae {
namespace {

const ArmResult* find_arm(const std::vector<ArmResult>& arms, const std::string& name) {
  const auto place =
      std::find_if(arms.begin(), arms.end(), [&](const ArmResult& one) { return one.arm.name == name; });
  return place == arms.end() ? nullptr : &*place;
}

void summarise(ArmResult& arm) {
  std::vector<double> utilities;
  std::optional<Figure> odds;
  double sum = 0, most = -1;
  std::size_t audits = 0;
  arm.controls_work = true;
  for (const SeedResult& seed : arm.seeds) {
    if (seed.utility) utilities.push_back(*seed.utility);
    if (!seed.headline) continue;
    const Figure& found = seed.headline->naming_odds;
    if (!odds) odds = Figure{0, found.low, found.high};
    odds->low = std::min(odds->low, found.low);
    odds->high = std::max(odds->high, found.high);
    sum += found.value;
    ++audits;
    arm.controls_work = arm.controls_work && seed.headline->positive_controls_work;
    if (found.value > most) {
      most = found.value;
      arm.worst =
          fmt::format("{} {}, {}", seed.headline->attack, seed.headline->attacker, seed.headline->level);
    }
  }
  if (odds) odds->value = sum / static_cast<double>(audits);
  arm.naming_odds = odds;
  arm.controls_work = arm.controls_work && audits > 0;
  arm.utility = interval_of_mean(utilities);
}

/// Over the seeds that both arms have.
std::optional<Figure> paired_difference(const ArmResult& arm, const ArmResult& plain) {
  std::vector<double> differences;
  for (const SeedResult& one : arm.seeds)
    for (const SeedResult& other : plain.seeds)
      if (one.seed == other.seed && one.utility && other.utility)
        differences.push_back(*one.utility - *other.utility);
  if (differences.empty()) return {};
  return interval_of_mean(differences);
}

/// "" when it has what the rule needs.
std::string lacking(const ArmResult* arm, const std::string& name, bool odds) {
  if (arm == nullptr) return "the study has no arm " + name;
  if (!arm->failure.empty()) return name + " failed";
  if (!arm->finished || std::isnan(arm->utility.value) || (odds && !arm->naming_odds))
    return name + " is not finished";
  return "";
}

std::string wins(const ArmResult& arm, const std::vector<ArmResult>& arms, const WinRule& rule) {
  if (arm.arm.name == rule.plain || arm.arm.name == rule.plain95) return "reference";
  const ArmResult* plain = find_arm(arms, rule.plain);
  const ArmResult* plain95 = find_arm(arms, rule.plain95);
  for (const auto& lack : {lacking(plain, rule.plain, false), lacking(plain95, rule.plain95, true)})
    if (!lack.empty()) return "undecided: " + lack;
  std::vector<std::string> against;
  if (arm.utility.value < plain->utility.value - rule.utility_margin) against.emplace_back("utility");
  if (arm.naming_odds->high > rule.odds_factor * plain95->naming_odds->value)
    against.emplace_back("naming odds");
  return against.empty() ? "WINS" : "does not win: " + join(against, " and ");
}

bool is_candidate(const ArmResult& arm, const WinRule& rule) {
  const auto limit = rule.candidate_limits.find(arm.arm.people_per_class);
  return limit != rule.candidate_limits.end() && arm.naming_odds->high <= limit->second && arm.controls_work;
}

std::string verdict_of(const ArmResult& arm, const std::vector<ArmResult>& arms, const WinRule& rule) {
  if (!arm.failure.empty()) return "failed";
  if (!arm.finished || std::isnan(arm.utility.value)) return "not finished";
  if (arm.arm.source == ArmSource::Photos) return "the photos themselves: no privacy";
  if (arm.arm.source == ArmSource::Outside) return "other people: nothing to name";
  if (!arm.naming_odds) return "undecided: no audit";
  const std::string verdict = wins(arm, arms, rule);
  if (is_candidate(arm, rule)) return verdict + "; CANDIDATE SETTING";
  return arm.controls_work ? verdict : verdict + " (a positive control failed or is missing)";
}

}  // namespace

void judge_arms(std::vector<ArmResult>& arms, const WinRule& rule) {
  for (ArmResult& arm : arms) summarise(arm);
  const ArmResult* plain = find_arm(arms, rule.plain);
  for (ArmResult& arm : arms) {
    if (plain != nullptr && plain != &arm) arm.to_plain = paired_difference(arm, *plain);
    arm.verdict = verdict_of(arm, arms, rule);
  }
}

}  // namespace facemae
