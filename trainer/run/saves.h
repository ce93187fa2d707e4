#pragma once
// The saves of a run: when they are due, what they hold, and how they pass beside the steps.
#include <chrono>

#include "checkpoint/tensors/store.h"
#include "trainer/config/save_schedule.h"
#include "trainer/files/run_folder.h"
#include "trainer/watch/request_watch.h"

namespace facemae {

/// All ranks make one. In the loop: bits() into the step's mask, advance() with the mask, wait_copied()
/// before the optimizer, begin() when due.
class Saves {
 public:
  /// Bits of the step's mask.
  static constexpr std::uint64_t kBusy = 1ULL << 32, kDue = 1ULL << 33;

  /// `describe` fills in what belongs to a step: called before each save. `outcome` is kept at the newest
  /// step that has been announced and the longest save.
  Saves(Saver& saver, Snapshot& snapshot, std::function<void(Snapshot&, std::uint64_t step)> describe,
        const SaveSchedule& schedule, bool is_root, std::uint32_t start, std::uint64_t first_step,
        Outcome& outcome);

  ~Saves() { saver_.while_waiting = {}; }
  Saves(const Saves&) = delete;
  Saves& operator=(const Saves&) = delete;

  std::uint64_t bits(std::uint64_t step) const;
  /// All ranks. Also tells, once each, of a save that has to wait for the one under way,
  /// and of one that hangs.
  void advance(std::uint64_t mask);
  void wait_copied() { saver_.wait_copied(); }
  void begin(std::uint64_t step);  ///< all ranks, when due and none is in flight
  /// All ranks: commits the step and waits for it, trying again after a pause when that fails. With `settle`
  /// also for its verification.
  void now(std::uint64_t step, bool settle);
  void finish();  ///< all ranks: brings what is under way to its end, and begins nothing
  /// The newest step announced, 0 when there is none.
  std::uint64_t committed() const { return outcome_.step; }
  RequestWatch* requests = nullptr;  ///< asks for saves beside those of the schedule
  std::function<void()> still_here;  ///< called several times a second while ranks wait for a save

  bool in_flight() const { return saver_.in_flight(); }
  const SaveFigures& figures() const { return saver_.figures(); }

 private:
  void note_begun(std::uint64_t step);
  void note_committed();
  void tell_of_delays(std::uint64_t mask);

  using Clock = std::chrono::steady_clock;
  Saver& saver_;
  Snapshot& snapshot_;
  std::function<void(Snapshot&, std::uint64_t)> describe_;
  SaveSchedule schedule_;
  bool is_root_;
  std::uint32_t start_;
  std::uint64_t last_begun_;
  Outcome& outcome_;
  Clock::time_point begun_ = Clock::now();
  bool told_postponed_ = false, told_slow_ = false, answers_ = false;  ///< of the save under way
};

}  // namespace facemae
