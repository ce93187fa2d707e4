#pragma once
// The time that one measurement may take, the same on all ranks.
#include <chrono>
#include <functional>
#include <vector>

#include "cluster/host/control.h"

namespace facemae {

/// All ranks make one and ask it the same questions.
class Share {
 public:
  using Clock = std::function<double()>;  ///< seconds since some moment
  Share(Control& control, double seconds);
  Share(Control& control, double seconds, Clock clock);
  /// All ranks, which come together here. Is there time, on every rank, for something that takes `seconds` there as far
  /// as it knows? False for good once a rank has had notice to stop.
  bool has(double seconds);

 private:
  Control& control_;
  Clock clock_;
  double end_;
};

/// All ranks: the seconds that `work` took here each time, at most `most` times and as long as the share lasts. The first
/// time, for which `guess` seconds are reckoned, is left out where there are others: it opens connections.
std::vector<double> timed(Share& share, int most, double guess, const std::function<void()>& work);

/// Seconds that pass, for work of one rank alone.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace facemae
