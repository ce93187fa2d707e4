#pragma once
// What an audit found, as report.json says it: all that a verdict is made of (docs/FORMATS.md, "Report of an audit").
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/statistics/figure.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

/// A figure that is no measurement by person: "tar_at_far", "dsys", "exact_links", ... with its 95 % interval; low = high =
/// value when it is exact.
struct ReportedMetric {
  std::string metric, attack, pairs;  ///< attack "" when it is of none
  Figure figure;
  double rate = 0;  ///< false accepts or false positives that it is taken at
  std::optional<std::int64_t> people, nonmembers, person_pairs;
};

/// What an attacker found where it must find much (positive: `limit` is the least), or nothing (`limit` is chance).
struct ReportedControl {
  std::string attack, control;
  bool positive = true, works = false;
  Figure figure;
  double limit = 0;
};

struct ReportedFindings {
  std::string release_digest;
  std::vector<Measurement> measurements;  ///< with controls among them
  std::vector<ReportedMetric> metrics;
  std::vector<ReportedControl> controls;
  nlohmann::json headline;            ///< as it is there, null without
  std::vector<std::string> pictures;  ///< captions of those in the page
  std::string digest;                 ///< BLAKE2b-256, hexadecimal, of the text
};

/// Throws DataError naming `origin`, place and what was found.
ReportedFindings findings_from(const std::string& text, const std::string& origin);

/// Names of controls, alike whether written with blanks, hyphens, underscores or capitals.
std::string plain_name(const std::string& name);

}  // namespace facemae
