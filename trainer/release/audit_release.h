#pragma once
// The audit of a rebuilt store against the real one, from stores and weights to report files: what
// `facemae audit` does.
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "evaluation/report/report.h"

namespace facemae {

/// As the options of the command say.
struct AuditConfig {
  std::string real, released, link, report, pictures = "released";
  std::string note;
  std::vector<std::string> embedders, utility;
  std::string attacks = "standard";  ///< quick, standard, all, or ids with commas
  /// A release of other people, made alike, with its source and private folder: what attackers learn from. All or
  /// none; without them, half of the release teaches, the other half is tested, both ways.
  std::string attacker_store, attacker_released, attacker_link;
  std::string distractors;         ///< store of people who were never released
  std::string pairs = "100,500";   ///< learning curve: numbers of pairs before all of them
  std::int64_t max_probes = 2000;  ///< of adaptive attackers: whole classes, together not above it
  std::uint64_t seed = 0;
};

/// One process. Writes report.html and report.json into config.report, readable by others unless they show real
/// faces. `claim` is called once that folder is there and before anything is written into it: it takes the place
/// for this process. Throws ConfigError when stores and link do not belong together.
Report audit_release(const AuditConfig& config, torch::Device device, const std::function<void()>& claim);

}  // namespace facemae
