#pragma once
// How long a start may go on: --max-hours and --end-time.
#include <chrono>
#include <cstdint>
#include <optional>

namespace facemae {

/// Begins when it is made: early, since starting up counts.
class RunClock {
 public:
  /// `end`: seconds since 1970.
  RunClock(std::optional<double> max_hours, std::optional<std::int64_t> end);
  /// True when it is time to commit and stop. Asked once a step: the time between two calls
  /// is taken for a step's.
  bool out_of_time(double save_seconds);

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<double> max_hours_;
  std::optional<Clock::time_point> end_;
  Clock::time_point began_ = Clock::now(), asked_ = began_;
  double step_seconds_ = 0;  ///< the longest of this start, but the first
  int calls_ = 0;
};

}  // namespace facemae
