#include "cluster/hang/phase_clock.h"

#include <algorithm>
#include <utility>

namespace facemae {
namespace {

constexpr std::size_t kRecent = 256;  // steps

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

void PhaseClock::leave(Time now) {
  if (phase_ == Phase::Step || phase_ == Phase::Data) spent_ += now - since_;
  since_ = quiet_since_ = now;
}

void PhaseClock::begin_step(std::uint64_t step, Time now) {
  const std::lock_guard lock(mutex_);
  const bool one_of_many = phase_ == Phase::Step;  // the first is no measure for others
  leave(now);
  if (one_of_many) {
    if (recent_.size() < kRecent) {
      recent_.emplace_back(spent_);
    } else {
      recent_[steps_ % kRecent] = spent_;
    }
    ++steps_;
  }
  spent_ = {};
  phase_ = step_ == 0 ? Phase::FirstStep : Phase::Step;
  step_ = step;
}

Phase PhaseClock::enter(Phase phase, Time now) {
  const std::lock_guard lock(mutex_);
  leave(now);
  return std::exchange(phase_, phase);
}

void PhaseClock::restart(Time now) {
  const std::lock_guard lock(mutex_);
  quiet_since_ = now;
}

PhaseClock::Sight PhaseClock::look(Time now, Time last_finished) const {
  const std::lock_guard lock(mutex_);
  return {.phase = phase_,
          .step = step_,
          .in_phase = now - since_,
          .quiet = std::max(Clock::duration(0), now - std::max(quiet_since_, last_finished)),
          .limit = limit()};
}

Seconds PhaseClock::limit() const {
  if (phase_ != Phase::Step) return limits_.others;
  // How long a step computes between two collectives is known once one has been measured: the
  // first is no measure.
  if (recent_.empty()) return std::max(limits_.step, limits_.others);
  auto steps = recent_;
  const auto p99 = steps.begin() + static_cast<std::ptrdiff_t>((steps.size() - 1) * 99 / 100);
  std::nth_element(steps.begin(), p99, steps.end());
  return std::max(limits_.step, std::min(limits_.factor * *p99, limits_.others));
}

}  // namespace facemae
