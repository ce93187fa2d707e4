#include "trainer/config/run_clock.h"

#include <algorithm>
#include <cmath>

#include "core/clock.h"
#include "trainer/config/save_schedule.h"

namespace facemae {

void RecentSeconds::add(double seconds) {
  constexpr std::size_t kKept = 1000;
  if (values_.size() < kKept) return values_.push_back(seconds);
  values_[next_] = seconds;
  next_ = (next_ + 1) % kKept;
}

double RecentSeconds::p99() const {
  if (values_.empty()) return 0;
  std::vector<double> sorted = values_;
  const auto rank = static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(sorted.size()))) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank), sorted.end());
  return sorted[rank];
}

RunClock::RunClock(std::optional<double> max_hours, std::optional<std::int64_t> end) : max_hours_(max_hours) {
  if (end) end_ = began_ + std::chrono::seconds(*end - epoch_seconds());
}

bool RunClock::out_of_time(std::uint64_t saves, double save_seconds,
                           std::optional<Clock::time_point> end_of_job) {
  const auto now = Clock::now();
  const auto seconds = [](Clock::duration time) { return std::chrono::duration<double>(time).count(); };
  if (++calls_ > 2) steps_.add(seconds(now - asked_));
  if (saves > seen_saves_) saves_.add(save_seconds);
  seen_saves_ = saves;
  asked_ = now;
  if (max_hours_ && seconds(now - began_) > *max_hours_ * 3600) return true;
  const auto end = end_ && end_of_job ? std::min(end_, end_of_job) : end_ ? end_ : end_of_job;
  if (!end) return false;
  if (needed_ == 0 || now - judged_ > std::chrono::seconds(1)) {
    needed_ = seconds_to_stop(saves_.p99(), steps_.p99());
    judged_ = now;
  }
  return seconds(*end - now) < needed_;
}

}  // namespace facemae
