#pragma once
// When a checkpoint is due, and how long before the end a run must stop. Pure: time is given. Asked on rank 0; the step's mask
// tells the others.
#include <cstdint>
#include <optional>

namespace facemae {

/// Seconds between saves that cost least time in all, for saves that cost `cost` seconds each and
/// failures every `mtbf` seconds on average (J. T. Daly, A higher order estimate of the optimum
/// checkpoint interval for restart dumps, Future Generation Computer Systems 22 (2006), equation 37; its
/// leading term is Young's of 1974).
double daly_interval(double cost, double mtbf);

struct SaveSchedule {
  std::uint64_t every_steps = 500;  ///< 0: not by steps
  std::optional<double> every_seconds;
  std::optional<double> mtbf_seconds;  ///< mean time between failures of the job: then by Daly's interval

  /// What is known when a step has been done.
  struct Moment {
    std::uint64_t step = 0,
                  last_save_step = 0;  ///< the step at which a save was begun last, or the run's first
    double since_save = 0;             ///< seconds since then
    std::uint64_t saves = 0;           ///< measured so far
    double stalled = 0;                ///< seconds that training has lost to them in all
    double save_seconds = 0;           ///< how long the last one took beside training
  };
  bool due(const Moment& moment) const;
};

/// What must be left before the end for a commit: a step, one and a half saves and a minute. Of usual lengths that 99 % do
/// not exceed.
double seconds_to_stop(double save_seconds, double step_seconds);

}  // namespace facemae
