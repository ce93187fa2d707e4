#pragma once
// How long stretches of work take where they run: on the host by its clock, on a device by events, for which nobody waits.
#include <c10/core/Event.h>
#include <torch/types.h>

#include <chrono>
#include <deque>
#include <optional>

namespace facemae {

/// One stretch after the other. Not thread-safe.
class StretchClock {
 public:
  explicit StretchClock(torch::Device device) : device_(device) {}
  void begin();
  void end();
  /// Seconds of the stretches that are over and were not told yet; those that a device has not come to are told later.
  double take();

 private:
  struct Stretch {
    c10::Event begin, end;
  };
  c10::Event mark() const;

  torch::Device device_;
  std::chrono::steady_clock::time_point began_;
  double seconds_ = 0;  ///< of the host's, not told
  std::optional<c10::Event> open_;
  std::deque<Stretch> over_;
};

}  // namespace facemae
