#include "trainer/config/run_clock.h"

#include <algorithm>

#include "core/clock.h"
#include "trainer/config/save_schedule.h"

namespace facemae {

RunClock::RunClock(std::optional<double> max_hours, std::optional<std::int64_t> end) : max_hours_(max_hours) {
  if (end) end_ = began_ + std::chrono::seconds(*end - epoch_seconds());
}

bool RunClock::out_of_time(double save_seconds) {
  const auto now = Clock::now();
  const auto seconds = [](Clock::duration time) { return std::chrono::duration<double>(time).count(); };
  if (++calls_ > 2) step_seconds_ = std::max(step_seconds_, seconds(now - asked_));
  asked_ = now;
  if (max_hours_ && seconds(now - began_) > *max_hours_ * 3600) return true;
  return end_ && must_stop(seconds(*end_ - now), save_seconds, step_seconds_);
}

}  // namespace facemae
