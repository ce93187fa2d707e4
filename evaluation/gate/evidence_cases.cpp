#include "evaluation/gate/evidence_cases.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>

#include "core/log.h"
#include "evaluation/statistics/intervals.h"
#include "evaluation/statistics/membership.h"

namespace facemae {
namespace {

bool is_class_level(Level level) {
  return level == Level::PhotoToClass || level == Level::PersonToClass || level == Level::ClassToPerson;
}

/// On the release itself, not on a control, and after learning from as many pairs as the policy names. What several
/// releases show together (A8) has a metric of its own.
bool belongs(const Measurement& measurement, const std::string& attack, const Policy& policy) {
  if (!measurement.control.empty() || measurement.level == Level::Membership) return false;
  const auto& pairs = policy.threat.pairs;
  if (!measurement.pairs.empty() && std::find(pairs.begin(), pairs.end(), measurement.pairs) == pairs.end())
    return false;
  if (attack.empty() && measurement.attack == "A8") return false;
  return attack == "A3" ? is_class_level(measurement.level) : attack.empty() || measurement.attack == attack;
}

GateCase missing_case(std::string what, std::string pairs = "") {
  return {.attack = "",
          .pairs = std::move(pairs),
          .level = "",
          .figure = {std::numeric_limits<double>::quiet_NaN(), 0, 1},
          .missing = std::move(what)};
}

/// `share`: of alpha that FAIL may use, 1 / attacks of the requirement.
GateCase measured_case(const Measurement& measurement, bool odds, const Requirement& requirement,
                       const Policy& policy) {
  const double people = odds ? static_cast<double>(measurement.people_per_class) : 1;
  const double share = 1.0 / static_cast<double>(std::max<std::size_t>(1, requirement.attacks.size()));
  const double at_low = requirement.min ? 1 : share, at_high = requirement.min ? share : 1;
  GateCase item{
      .attack = measurement.attack,
      .pairs = measurement.pairs,
      .level = name_of(measurement.level),
      .figure = {measurement.found.value / people, lower_limit(measurement, policy.alpha * at_low) / people,
                 upper_limit(measurement, policy.alpha * at_high) / people},
      .missing = "",
      .people_per_class = people,
      .by_people = true,
      .learnt = measurement.pairs == "all"};  // from fewer pairs they learn of fewer people, as they should
  // Of pictures and classes a tally is a class, with all its people.
  const bool by_class =
      measurement.level == Level::PictureToPerson || measurement.level == Level::ClassToPerson;
  item.people = static_cast<double>(people_of(measurement)) *
                (by_class ? static_cast<double>(measurement.people_per_class) : 1);
  item.effective = people_effective(measurement);
  if (measurement.attacker_people > 0)
    item.attacker_people = static_cast<double>(measurement.attacker_people);
  if (measurement.level == Level::OwnPicture && measurement.chance > 0) item.gallery = 1 / measurement.chance;
  return item;
}

std::vector<GateCase> measured_cases(const Requirement& requirement, const std::string& attack,
                                     bool own_picture, const Policy& policy,
                                     const ReportedFindings& findings) {
  std::vector<GateCase> items;
  bool learns = false, class_level = false, of_groups = false;
  for (const Measurement& measurement : findings.measurements) {
    if (!belongs(measurement, attack, policy)) continue;
    class_level = class_level || is_class_level(measurement.level);
    of_groups = of_groups || measurement.people_per_class > 1;
    if (own_picture && measurement.level != Level::OwnPicture) continue;
    learns = learns || !measurement.pairs.empty();
    items.push_back(measured_case(measurement, !own_picture, requirement, policy));
  }
  if (items.empty()) {
    // A picture of several people has no photo that is its own: finding the person is judged, by naming_odds.
    if (own_picture && of_groups)
      return {{.attack = attack, .pairs = "", .level = "pictures of groups have none", .figure = {0, 0, 0}}};
    return {
        missing_case(fmt::format("{} was not measured: run `facemae audit --attacks {}`", requirement.metric,
                                 attack == "A3"   ? "standard"
                                 : attack == "A8" ? "A0,A8"
                                                  : attack))};
  }
  if (!own_picture && !class_level)
    items.push_back(
        missing_case("the class level was not measured: run `facemae audit --attacks " + attack + "`"));
  if (learns && attack != "A3")
    for (const std::string& pairs : policy.threat.pairs)
      if (std::none_of(items.begin(), items.end(), [&](const GateCase& item) { return item.pairs == pairs; }))
        items.push_back(missing_case(
            attack + " did not learn from " + pairs + " pairs: give the attackers more people", pairs));
  return items;
}

/// What an audit needs for a metric that is missing.
std::string how_to_get(const Requirement& requirement, const std::string& attack) {
  constexpr double kFalseAccepts = 30;  // that an audit gives a rate for
  if (requirement.metric.starts_with("membership") && requirement.rate > 0)
    return fmt::format(": it needs {} people who are no members (`facemae audit --distractors STORE{}`)",
                       nonmembers_needed(requirement.rate),
                       attack == "A11" ? " --from MODEL --training-store STORE" : "");
  if (requirement.metric == "tar_at_far" && requirement.rate > 0)
    return fmt::format(": it needs {:g} pairs of different people", kFalseAccepts / requirement.rate);
  if (!attack.empty())
    return ": run `facemae audit --attacks " + attack + "` with what it needs (`facemae audit --help`)";
  return "";
}

std::vector<GateCase> reported_cases(const Requirement& requirement, const std::string& attack,
                                     const Policy& policy, const ReportedFindings& findings) {
  std::vector<GateCase> items;
  const boost::math::normal normal;
  const double share = 1.0 / static_cast<double>(std::max<std::size_t>(1, requirement.attacks.size()));
  // Reported intervals have 0.025 on each side: a side whose level is stricter is widened, FAIL's for the attacks.
  const auto widened = [&](double value, double limit, double alpha) {
    const double wider = quantile(complement(normal, alpha)) / quantile(complement(normal, kTail));
    return value + std::max(1.0, wider) * (limit - value);
  };
  const double at_low = requirement.min ? policy.alpha : policy.alpha * share,
               at_high = requirement.min ? policy.alpha * share : policy.alpha;
  for (const ReportedMetric& metric : findings.metrics) {
    if (metric.metric != requirement.metric || metric.attack != attack || metric.rate != requirement.rate)
      continue;
    GateCase item{
        .attack = metric.attack, .pairs = metric.pairs, .level = "", .figure = metric.figure, .missing = ""};
    if (std::isnan(metric.figure.value)) {
      items.push_back(missing_case(requirement.metric + " could not be measured", metric.pairs));
      continue;
    }
    const Figure& figure = metric.figure;
    item.figure.low = widened(figure.value, figure.low, at_low);
    item.figure.high = widened(figure.value, figure.high, at_high);
    const bool exact = figure.low == figure.value && figure.high == figure.value;
    item.by_people = !exact && !attack.empty();
    if (metric.people) item.people = static_cast<double>(*metric.people);
    item.of_members = requirement.metric.starts_with("membership");
    if (metric.nonmembers) item.nonmembers = static_cast<double>(*metric.nonmembers);
    if (metric.person_pairs) item.person_pairs = static_cast<double>(*metric.person_pairs);
    items.push_back(item);
  }
  // Membership is a level, too: the chance of its measurement is the false-positive rate.
  if (items.empty() && requirement.metric == "membership_tpr")
    for (const Measurement& measurement : findings.measurements) {
      if (measurement.level != Level::Membership || measurement.attack != attack ||
          !measurement.control.empty() || std::abs(measurement.chance - requirement.rate) > 1e-9)
        continue;
      items.push_back(measured_case(measurement, false, requirement, policy));
      items.back().of_members = true;
      if (measurement.nonmembers > 0) items.back().nonmembers = static_cast<double>(measurement.nonmembers);
    }
  if (items.empty())
    items.push_back(missing_case(fmt::format(
        "the report has no metric {}{}{}{}", requirement.metric, attack.empty() ? "" : " of " + attack,
        requirement.rate > 0 ? fmt::format(" at {:g}", requirement.rate) : "",
        how_to_get(requirement, attack))));
  return items;
}

GateCase smallest_group(const Policy& policy, const ReportedFindings& findings) {
  double smallest = std::numeric_limits<double>::infinity();
  for (const Measurement& measurement : findings.measurements)
    if (belongs(measurement, "", policy))
      smallest = std::min(smallest, static_cast<double>(measurement.people_per_class));
  if (std::isinf(smallest)) return missing_case("nothing was measured on the release");
  return {.attack = "", .pairs = "", .level = "", .figure = {smallest, smallest, smallest}, .missing = ""};
}

/// The people whom one attack finds most often, `percent` of them. Their rates are the highest of many: the value leans to
/// the high side, and the lower limit is corrected for all who might have been chosen. Nobody in a class of K people is
/// named with odds above 1 / K.
std::vector<GateCase> most_exposed(const Requirement& requirement, const Policy& policy,
                                   const ReportedFindings& findings) {
  std::vector<GateCase> items;
  for (const Measurement& measurement : findings.measurements) {
    if (!belongs(measurement, "", policy)) continue;
    std::vector<Tally> people;
    std::copy_if(measurement.tallies.begin(), measurement.tallies.end(), std::back_inserter(people),
                 [](const Tally& tally) { return tally.trials > 0; });
    if (people.empty()) continue;
    const auto rate = [](const Tally& tally) { return tally.hits / tally.trials; };
    std::sort(people.begin(), people.end(),
              [&](const Tally& a, const Tally& b) { return rate(a) > rate(b); });
    const auto all = static_cast<double>(people.size());
    const auto chosen = static_cast<std::size_t>(std::max(1.0, std::ceil(requirement.percent / 100 * all)));
    double hits = 0, trials = 0;
    for (std::size_t i = 0; i < chosen; ++i) hits += people[i].hits, trials += people[i].trials;
    const auto k = static_cast<double>(measurement.people_per_class);
    GateCase item = measured_case(measurement, true, requirement, policy);
    item.figure = {hits / trials / k, exact_lower(hits, trials, policy.alpha / all) / k,
                   exact_upper(hits, trials, policy.alpha) / k};
    item.level = measurement.attack + " " + item.level;
    item.pairs = "";
    items.push_back(item);
  }
  if (items.empty()) items.push_back(missing_case("nothing was measured on the release"));
  return items;
}

}  // namespace

std::vector<GateCase> gate_cases(const Requirement& requirement, const std::string& attack,
                                 const Policy& policy, const ReportedFindings& findings) {
  const auto kind = std::find_if(metric_kinds().begin(), metric_kinds().end(),
                                 [&](const MetricKind& row) { return row.name == requirement.metric; });
  switch (kind->source) {
    case MetricSource::NamingOdds:
      return measured_cases(requirement, attack, false, policy, findings);
    case MetricSource::OwnPicture:
      return measured_cases(requirement, attack, true, policy, findings);
    case MetricSource::SmallestGroup:
      return {smallest_group(policy, findings)};
    case MetricSource::MostExposed:
      return most_exposed(requirement, policy, findings);
    default:
      return reported_cases(requirement, attack, policy, findings);
  }
}

}  // namespace facemae
