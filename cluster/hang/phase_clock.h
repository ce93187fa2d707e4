#pragma once
// What this rank is doing, for how long it has made no progress, and how long that may last. Any thread; time
// is given, so that tests need none.
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace facemae {

/// Data: waiting for a batch of images, within a step.
enum class Phase { StartUp, FirstStep, Step, Data, Evaluation, Save, Shutdown };
std::string name_of(Phase phase);

using Seconds = std::chrono::duration<double>;

struct PhaseLimits {
  Seconds step{20};   ///< of a step: at least this,
  double factor = 5;  ///< or this many times the 99th percentile of the longest silence of recent steps,
  Seconds others{
      600};  ///< which counts up to this; of every other phase, and of steps before one was measured
};

/// Progress is a change of phase, or a collective that ended: it takes all ranks. Being alive is none. Silence is what
/// passes between two collectives, about the same on all ranks, also on one that reads many micro-batches meanwhile.
class PhaseClock {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  PhaseClock(const PhaseLimits& limits, Time now)
      : limits_(limits), since_(now), quiet_since_(now), silent_since_(now) {}
  void begin_step(std::uint64_t step, Time now);  ///< `step` counts from 1
  Phase enter(Phase phase, Time now);             ///< returns the phase that it ends
  /// The process was stopped, or got no time: what it missed is not held against it.
  void restart(Time now);

  struct Sight {
    Phase phase = Phase::StartUp;
    std::uint64_t step = 0;  ///< begun last; 0 before the first
    Seconds in_phase{0}, quiet{0}, limit{0};
    Seconds silence{0};
    Seconds listens{0};  ///< from which silence on this rank looks whether another asks for its report
    bool late() const { return quiet >= limit; }
  };
  Sight look(Time now, Time last_finished) const;
  /// Measures: to be called every so often, as no step knows its longest silence by itself.
  void listen(Time now, Time last_finished);

 private:
  Seconds silence(Time now, Time last_finished) const;
  Seconds step_limit() const;

  const PhaseLimits limits_;
  mutable std::mutex mutex_;
  Phase phase_ = Phase::StartUp;
  std::uint64_t step_ = 0;
  Time since_, quiet_since_, silent_since_;
  Seconds longest_{0};           ///< silence of this step, without evaluation and saves
  std::vector<Seconds> recent_;  ///< those of steps, as a ring
  std::size_t steps_ = 0;        ///< that were put there
};

}  // namespace facemae
