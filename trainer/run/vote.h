#pragma once
// What the ranks find out about a step together, and what follows from it: values, without communication.
#include <cstdint>
#include <optional>

namespace facemae {

/// Of one rank, as bits; or-ed over all ranks it is the vote on the step.
struct Vote {
  bool stop = false;          ///< a notice arrived, or time is up
  bool not_finite = false;    ///< the loss or its gradient
  bool shard_failed = false;  ///< a shard of the store could not be read
  std::uint64_t saving = 0;   ///< bits of Saves
  std::uint64_t bits() const;
  static Vote of(std::uint64_t bits);
};

/// Where a run ends, and what it does on the way.
struct LoopPlan {
  std::uint64_t first = 0, last = 0;        ///< steps [first, last) are to be done
  std::optional<std::uint64_t> stop_after;  ///< steps done
  std::uint64_t evaluate_every = 0;         ///< 0: after the last step alone
};

/// What comes after a step.
struct Next {
  bool stops = false;      ///< before the last step
  bool ends = false;       ///< here, stopped or done
  bool stands = true;      ///< the step may be saved: it was not skipped
  bool evaluates = false;  ///< before the commit, so that a kill in between is made up for
  bool saves = false;
};
/// After `done` steps. `skipped`: the update of the last one was; `in_flight`: a save is under way. With a notice given
/// time is short, and nothing is evaluated; --stop-after is in no hurry. A skipped step is never saved: whether the
/// weights before it are any good only the next finite step shows.
Next next_after(std::uint64_t done, const Vote& vote, const LoopPlan& plan, bool skipped, bool in_flight);

}  // namespace facemae
