#pragma once
// A run's supply of faces, and what the loop asks of it beside them.
#include <cstdint>
#include <vector>

#include "data/loader/loader.h"
#include "trainer/step/step.h"

namespace facemae {

class Supply : public FaceSource {
 public:
  virtual LoaderFigures figures() = 0;  ///< since the last call
  /// True when a shard turned out unreadable on this rank and the ranks have not agreed on it yet.
  virtual bool shard_failed() = 0;
  /// All ranks, when it is true on any: the shards are quarantined from `step` (not begun yet) on everywhere, and the
  /// plan has a new version. Returns all that are quarantined. Throws AgreedError (65) when they hold more of the
  /// images than --max-quarantined.
  virtual std::vector<Quarantined> quarantine_failed(std::uint64_t step) = 0;
};

}  // namespace facemae
