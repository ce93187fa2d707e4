#pragma once
// Reports of audits as tests want them.
#include <nlohmann/json.hpp>
#include <string>

#include "evaluation/statistics/measurement.h"

namespace facemae::small_report {

inline nlohmann::json report_of(const std::string& release_digest) {
  return {{"facemae_audit", kReportVersion},
          {"facts", {{{"name", "release digest"}, {"value", release_digest}}}},
          {"measurements", nlohmann::json::array()},
          {"metrics", nlohmann::json::array()},
          {"controls", nlohmann::json::array()},
          {"headline",
           {{"attack", "A1"},
            {"attacker", "any"},
            {"naming_odds", {{"value", 0.01}, {"low", 0}, {"high", 0.03}}}}},
          {"pictures", {"rebuilt"}}};
}

/// `hits` of `people` people, each tried once.
inline nlohmann::json measurement(const std::string& attack, const std::string& level, int hits, int people,
                                  int people_per_class = 1, const std::string& pairs = "") {
  nlohmann::json all_hits = nlohmann::json::array(), all_trials = nlohmann::json::array();
  for (int i = 0; i < people; ++i) all_hits.push_back(i < hits ? 1 : 0), all_trials.push_back(1);
  return {{"attack", attack},
          {"attacker", "any"},
          {"level", level},
          {"control", ""},
          {"pairs", pairs},
          {"chance", 0.01},
          {"people_per_class", people_per_class},
          {"attacker_people", pairs.empty() ? 0 : 150},
          {"hits", all_hits},
          {"trials", all_trials}};
}

inline nlohmann::json control(const std::string& attack, const std::string& name, const std::string& kind,
                              double value, double low, double high, double limit) {
  return {{"attack", attack}, {"control", name}, {"kind", kind},   {"value", value},
          {"low", low},       {"high", high},    {"limit", limit}, {"works", true}};
}

}  // namespace facemae::small_report
