#pragma once
// How long a start may go on: --max-hours, --end-time, and the end of the batch job.
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace facemae {

/// The newest thousand of a row of durations.
class RecentSeconds {
 public:
  void add(double seconds);
  /// The smallest value that 99 % of them do not exceed; 0 when there are none.
  double p99() const;

 private:
  std::vector<double> values_;
  std::size_t next_ = 0;
};

/// Begins when it is made: early, since starting up counts.
class RunClock {
 public:
  using Clock = std::chrono::steady_clock;
  /// `end`: seconds since 1970.
  RunClock(std::optional<double> max_hours, std::optional<std::int64_t> end);
  /// True when it is time to commit and stop. Asked once a step: the time between two calls is taken for a step's, but for
  /// the first. `saves` have been made in this start, the last one in `save_seconds`. `end_of_job` may change from call to
  /// call; the earlier end counts.
  bool out_of_time(std::uint64_t saves, double save_seconds,
                   std::optional<Clock::time_point> end_of_job = {});

 private:
  std::optional<double> max_hours_;
  std::optional<Clock::time_point> end_;
  Clock::time_point began_ = Clock::now(), asked_ = began_, judged_ = began_;
  RecentSeconds steps_, saves_;
  std::uint64_t calls_ = 0, seen_saves_ = 0;
  double needed_ = 0;  ///< seconds, as of judged_
};

}  // namespace facemae
