#include "trainer/doctor/share.h"

#include "core/signals.h"

namespace facemae {

Share::Share(Control& control, double seconds)
    : Share(control, seconds, [watch = Stopwatch()] { return watch.seconds(); }) {}

Share::Share(Control& control, double seconds, Clock clock)
    : control_(control), clock_(std::move(clock)), end_(clock_() + seconds) {}

bool Share::has(double seconds) {
  return control_.all_agree(clock_() + seconds <= end_ && notice_received() == 0);
}

std::vector<double> timed(Share& share, int most, double guess, const std::function<void()>& work) {
  std::vector<double> seconds;
  for (double next = guess; static_cast<int>(seconds.size()) <= most && share.has(next);) {
    const Stopwatch watch;
    work();
    seconds.push_back(next = watch.seconds());
  }
  if (seconds.size() > 1) seconds.erase(seconds.begin());
  return seconds;
}

}  // namespace facemae
