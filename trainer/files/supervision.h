#pragma once
// What slurm/supervise.sh and people have left in RUN around its starts, for `facemae status`.
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/files/files.h"

namespace facemae {

struct AccusedNode {
  std::string node, evidence;  ///< evidence: of the newest accusation
  int times = 0;
  bool hard = false;        ///< any of them was
  std::int64_t newest = 0;  ///< seconds since 1970
};

struct Supervision {
  std::optional<std::int64_t> end_of_job;   ///< seconds since 1970
  std::optional<std::string> stop, save;    ///< who asked, and when
  std::string decided_at, action, because;  ///< the supervisor's last decision; empty without one
  std::vector<AccusedNode> nodes;           ///< within the last 14 days, by name
};

/// Files that are missing or damaged say nothing. `now`: seconds since 1970.
Supervision supervision_of(const Path& run, std::int64_t now);
/// Lines of `facemae status`, each beginning with a line break; "" when there is nothing to say.
std::string describe(const Supervision& found, std::int64_t now);
nlohmann::ordered_json to_json(const Supervision& found);

}  // namespace facemae
