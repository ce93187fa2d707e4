#pragma once
// How a start of a run ends by a failure: what its outcome says, who writes it, and what the program throws on.
#include <exception>
#include <string>

#include "cluster/host/agree.h"
#include "core/error.h"

namespace facemae {

struct Ending {
  ExitCode code = ExitCode::Crash;
  std::string kind, reason;
  Blame blame;
  bool agreed = false;     ///< all ranks know of it
  bool lost_peer = false;  ///< found here alone: who is to blame remains to be found out
  bool of_storage =
      false;  ///< a file that is gone once a run has begun: a fault that may pass, not the user's mistake

  /// RUN/outcome.json is written by rank 0 when all ranks know, else by whoever failed.
  bool writes_outcome(bool is_root) const { return !lost_peer && (is_root || !agreed); }
};

/// Pure. Of a failure after the run has begun.
Ending ending_of(const std::exception& error);

}  // namespace facemae
