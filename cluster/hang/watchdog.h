#pragma once
// Notices that the job makes no progress, finds the rank that keeps it waiting, and has the process ended.
// One thread, which touches neither MPI nor CUDA: the ranks talk through files in the run's folder, as
// nothing else works then.
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "cluster/hang/hang_folder.h"
#include "cluster/hang/inquest.h"
#include "cluster/hang/operation_ring.h"
#include "cluster/hang/phase_clock.h"

namespace facemae {

struct WatchdogConfig {
  bool on = true;  ///< off: nothing is watched, and inquire() only repeats what it is told
  int rank = 0, world = 1;
  Path folder;  ///< RUN/hang/<start>, the same for all ranks
  PhaseLimits limits;
  std::chrono::milliseconds tick{500};
  std::chrono::milliseconds wait{3000};        ///< for the reports of other ranks,
  std::chrono::milliseconds wait_of_rank{20};  ///< and for each of them
};

/// Made and owned by what trains; all ranks have one. Entering and leaving phases costs a lock and
/// a look at the clock.
class Watchdog {
 public:
  using End = std::function<void(const Verdict&)>;

  /// `end` is called on the watchdog's thread with a fatal verdict, once at most, and ends the process;
  /// `files` and what `end` refers to outlive this. The phase is start-up.
  Watchdog(const WatchdogConfig& config, OperationRings rings, FileSystem& files, End end);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void begin_step(std::uint64_t step) { clock_.begin_step(step, PhaseClock::Clock::now()); }
  void enter(Phase phase) { clock_.enter(phase, PhaseClock::Clock::now()); }

  /// A phase for the length of a scope; then the one before goes on.
  class [[nodiscard]] Within {
   public:
    Within(Watchdog& watchdog, Phase phase)
        : watchdog_(watchdog), before_(watchdog.clock_.enter(phase, PhaseClock::Clock::now())) {}
    ~Within() { watchdog_.enter(before_); }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;

   private:
    Watchdog& watchdog_;
    Phase before_;
  };
  Within within(Phase phase) { return {*this, phase}; }

  /// A peer is lost, says `error`: reports, waits for the reports of the other ranks and tells who it is.
  /// Takes as long as those have, or a little longer. The verdict is always fatal; ending the process is the caller's.
  Verdict inquire(const std::string& error);

 private:
  void watch();
  bool look(PhaseClock::Time now);  ///< false: `end` was called
  HangReport report(HangCause cause, const std::string& error) const;
  PhaseClock::Time last_finished() const;
  bool rest(std::chrono::milliseconds time);  ///< false: this is being destroyed

  const WatchdogConfig config_;
  const InquestTimes times_;
  const OperationRings rings_;
  const End end_;
  PhaseClock clock_;
  HangFolder folder_;
  std::mutex asking_;  ///< guards the folder and the inquest
  Inquest inquest_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace facemae
