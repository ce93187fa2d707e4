#include "cluster/hang/phase_clock.h"

#include <algorithm>
#include <utility>

namespace facemae {
namespace {

constexpr std::size_t kRecent = 256;  // steps

bool of_a_step(Phase phase) { return phase == Phase::Step || phase == Phase::Data; }

}  // namespace

std::string name_of(Phase phase) {
  switch (phase) {
    case Phase::StartUp:
      return "start-up";
    case Phase::FirstStep:
      return "first step";
    case Phase::Step:
      return "step";
    case Phase::Data:
      return "waiting for data";
    case Phase::Evaluation:
      return "evaluation";
    case Phase::Save:
      return "save";
    case Phase::Shutdown:
      return "shutdown";
  }
  return "";
}

void PhaseClock::begin_step(std::uint64_t step, Time now) {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::Step) {  // the first is no measure for others
    if (recent_.size() < kRecent) {
      recent_.push_back(longest_);
    } else {
      recent_[steps_ % kRecent] = longest_;
    }
    ++steps_;
  }
  since_ = quiet_since_ = silent_since_ = now;
  longest_ = {};
  phase_ = step_ == 0 ? Phase::FirstStep : Phase::Step;
  step_ = step;
}

Phase PhaseClock::enter(Phase phase, Time now) {
  const std::lock_guard lock(mutex_);
  since_ = quiet_since_ = now;
  if (!of_a_step(phase_) || !of_a_step(phase)) silent_since_ = now;
  return std::exchange(phase_, phase);
}

void PhaseClock::restart(Time now) {
  const std::lock_guard lock(mutex_);
  quiet_since_ = silent_since_ = now;
}

Seconds PhaseClock::silence(Time now, Time last_finished) const {
  return std::max(Clock::duration(0), now - std::max(silent_since_, last_finished));
}

void PhaseClock::listen(Time now, Time last_finished) {
  const std::lock_guard lock(mutex_);
  if (of_a_step(phase_)) longest_ = std::max(longest_, silence(now, last_finished));
}

PhaseClock::Sight PhaseClock::look(Time now, Time last_finished) const {
  const std::lock_guard lock(mutex_);
  return {.phase = phase_,
          .step = step_,
          .in_phase = now - since_,
          .quiet = std::max(Clock::duration(0), now - std::max(quiet_since_, last_finished)),
          .limit = phase_ == Phase::Step ? step_limit() : limits_.others,
          .silence = silence(now, last_finished),
          // Before a step was measured here, others may have measured one.
          .listens = (recent_.empty() ? limits_.step : step_limit()) / 2};
}

Seconds PhaseClock::step_limit() const {
  // How long a step computes between two collectives is known once one has been measured: the
  // first is no measure.
  if (recent_.empty()) return std::max(limits_.step, limits_.others);
  auto longest = recent_;
  const auto p99 = longest.begin() + static_cast<std::ptrdiff_t>((longest.size() - 1) * 99 / 100);
  std::nth_element(longest.begin(), p99, longest.end());
  return std::max(limits_.step, std::min(limits_.factor * *p99, limits_.others));
}

}  // namespace facemae
