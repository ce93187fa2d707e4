#include "evaluation/gate/findings.h"

#include <cctype>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/log.h"
#include "core/random/secret.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

/// JSON has no NaN: what could not be measured is null.
double number_or_nan(const nlohmann::json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

Figure figure_of(const nlohmann::json& item) {
  return {number_or_nan(item.at("value")), number_or_nan(item.at("low")), number_or_nan(item.at("high"))};
}

std::optional<std::int64_t> count_in(const nlohmann::json& item, const char* name) {
  if (!item.contains(name) || item.at(name).is_null()) return {};
  if (!item.at(name).is_number_integer()) throw DataError(fmt::format("{} must be a whole number", name));
  return item.at(name).get<std::int64_t>();
}

/// Numbers that can be counted with: an attack hits or misses some of up to a billion trials.
bool can_be(double hits, double trials) {
  return (trials == 0 && hits == 0) ||
         (trials >= 1e-3 && trials <= 1e9 && (hits == 0 || hits >= 1e-9) && hits <= trials);
}

Measurement measurement_of(const nlohmann::json& item) {
  Measurement measurement{.attack = item.at("attack"),
                          .attacker = item.at("attacker"),
                          .level = level_from(item.at("level")),
                          .control = item.at("control"),
                          .pairs = item.at("pairs"),
                          .chance = number_or_nan(item.at("chance")),
                          .people_per_class = count_in(item, "people_per_class").value_or(0),
                          .tallies = {},
                          .found = {}};
  measurement.attacker_people = count_in(item, "attacker_people").value_or(0);
  measurement.nonmembers = count_in(item, "nonmembers").value_or(0);
  const auto& hits = item.at("hits");
  const auto& trials = item.at("trials");
  if (!hits.is_array() || !trials.is_array() || hits.size() != trials.size())
    throw DataError("hits and trials must be lists of one length");
  const auto together = item.value("together", nlohmann::json::array());
  if (!together.is_array() || (!together.empty() && together.size() != hits.size()))
    throw DataError("together must be a list as long as hits, or missing");
  for (std::size_t i = 0; i < hits.size(); ++i) {
    const Tally tally{static_cast<std::int64_t>(i), hits[i].get<double>(), trials[i].get<double>(),
                      together.empty() ? -1 : together[i].get<std::int64_t>()};
    if (tally.with > tally.person) throw DataError("together names a person who comes later");
    if (!can_be(tally.hits, tally.trials))
      throw DataError(fmt::format("person {} has {} hits in {} trials", i, tally.hits, tally.trials));
    measurement.tallies.push_back(tally);
  }
  if (measurement.people_per_class < 1) throw DataError("people_per_class must be 1 at least");
  measurement.found = interval_by_person(measurement.tallies);
  return measurement;
}

ReportedMetric metric_of(const nlohmann::json& item) {
  ReportedMetric metric{.metric = item.at("metric"),
                        .attack = item.value("attack", ""),
                        .pairs = item.value("pairs", ""),
                        .figure = figure_of(item)};
  for (const char* rate : {"far", "fpr"})
    if (item.contains(rate)) metric.rate = item.at(rate);
  metric.people = count_in(item, "people");
  metric.nonmembers = count_in(item, "nonmembers");
  metric.person_pairs = count_in(item, "person_pairs");
  return metric;
}

ReportedControl control_of(const nlohmann::json& item) {
  const std::string kind = item.at("kind");
  if (kind != "positive" && kind != "negative")
    throw DataError("kind must be \"positive\" or \"negative\", found \"" + kind + "\"");
  return {.attack = item.at("attack"),
          .control = item.at("control"),
          .positive = kind == "positive",
          .works = item.at("works"),
          .figure = figure_of(item),
          .limit = number_or_nan(item.at("limit"))};
}

/// Reads each item of a list that may be missing; a fault names its place.
template <class Read>
auto read_all(const nlohmann::json& report, const char* name, Read read) {
  std::vector<decltype(read(report))> items;
  if (!report.contains(name)) return items;
  for (std::size_t i = 0; i < report.at(name).size(); ++i) {
    try {
      items.push_back(read(report.at(name).at(i)));
    } catch (const std::exception& error) {
      throw DataError(fmt::format("{}[{}]: {}", name, i, error.what()));
    }
  }
  return items;
}

}  // namespace

ReportedFindings findings_from(const std::string& text, const std::string& origin) {
  ReportedFindings findings;
  try {
    const nlohmann::json report = nlohmann::json::parse(text);
    if (report.value("facemae_audit", 0) < kReportVersion)
      throw DataError(
          "an older version made it, which counted people of a blend as if they were found independently");
    for (const auto& fact : report.at("facts"))
      if (fact.at("name") == "release digest") findings.release_digest = fact.at("value");
    findings.measurements = read_all(report, "measurements", measurement_of);
    findings.metrics = read_all(report, "metrics", metric_of);
    findings.controls = read_all(report, "controls", control_of);
    if (report.contains("headline")) findings.headline = report.at("headline");
    if (report.contains("pictures")) findings.pictures = report.at("pictures");
  } catch (const std::exception& error) {
    throw DataError(fmt::format(
        "reading {}: it is not the report.json of `facemae audit`, or damaged ({}); run the audit again",
        origin, error.what()));
  }
  findings.digest = fmt::format("{:02x}", fmt::join(blake2b(bytes_of(text)).bytes, ""));
  return findings;
}

std::string plain_name(const std::string& name) {
  std::string plain;
  for (const char letter : name)
    plain += letter == ' ' || letter == '-'
                 ? '_'
                 : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return plain;
}

}  // namespace facemae
