#pragma once
// How a run is doing, from its files alone: while it trains, from any host that sees them, or long after.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "checkpoint/history/fences.h"
#include "trainer/files/run_folder.h"
#include "trainer/files/supervision.h"

namespace facemae {

struct StartStatus {
  std::uint32_t start = 0;
  std::optional<Fence> fence;  ///< nothing when it cannot be read
  Outcome outcome;
  bool alive = false;  ///< the newest one, while it holds the run
};

struct RunStatus {
  std::string run;
  /// "running", "done", "stopped" (on notice: the same command goes on), "lost" (a rank or node was: the
  /// same), "failed" (needs a cure), "new" (nothing has begun).
  std::string state;
  std::uint64_t step = 0, total = 0;  ///< total 0: not known
  double images_per_second = 0, seconds_left = 0, loss = 0, accuracy = 0;
  bool has_loss = false, has_accuracy = false;
  std::uint64_t committed_step = 0;
  std::int64_t committed_at = 0, logged_at = 0;  ///< seconds since 1970; 0: never
  std::vector<StartStatus> starts;               ///< oldest first
  Supervision supervision;
};

/// Throws ConfigError when there is no run.
RunStatus status_of(const Path& run);
/// For people; `now` in seconds since 1970.
std::string describe(const RunStatus& status, std::int64_t now);
nlohmann::ordered_json to_json(const RunStatus& status);

}  // namespace facemae
