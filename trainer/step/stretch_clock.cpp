#include "trainer/step/stretch_clock.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

namespace facemae {

/// Behind what the current stream was given so far; an event that keeps its time.
c10::Event StretchClock::mark() const {
  c10::Event event(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
  event.record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
  return event;
}

void StretchClock::begin() {
  if (device_.is_cpu())
    began_ = std::chrono::steady_clock::now();
  else
    open_ = mark();
}

void StretchClock::end() {
  if (device_.is_cpu())
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  else
    over_.push_back({*std::exchange(open_, std::nullopt), mark()});
}

double StretchClock::take() {
  double seconds = std::exchange(seconds_, 0);
  for (; !over_.empty() && over_.front().end.query(); over_.pop_front())
    seconds += over_.front().begin.elapsedTime(over_.front().end) / 1e3;
  return seconds;
}

}  // namespace facemae
