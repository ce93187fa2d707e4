#include "tests/rehearsal/counters.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace facemae::rehearsal {
namespace {

/// One device, one set of figures; LibTorch's operators have no place for a reference to it.
struct Figures {
  std::mutex mutex;
  Counters counted;
};
Figures& figures() {
  static Figures all;
  return all;
}

std::string frequent(const std::map<std::string, std::int64_t>& of, std::size_t most) {
  std::vector<std::pair<std::string, std::int64_t>> sorted(of.begin(), of.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t i = 0; i < std::min(most, sorted.size()); ++i)
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", sorted[i].second, sorted[i].first);
  return text.empty() ? "none" : text;
}

std::string describe(const Copies& copies) {
  return fmt::format("{} ({} bytes), {} blocking, {} of pageable memory", copies.count, copies.bytes,
                     copies.blocking, copies.pageable);
}

}  // namespace

void reset_counters() {
  const std::lock_guard lock(figures().mutex);
  figures().counted = {};
}

Counters counters() {
  const std::lock_guard lock(figures().mutex);
  return figures().counted;
}

void count(const std::string& op, std::int64_t Counters::*total,
           std::map<std::string, std::int64_t> Counters::*of) {
  const std::lock_guard lock(figures().mutex);
  ++(figures().counted.*total);
  ++(figures().counted.*of)[op];
}

void count_copy(Copies Counters::*direction, std::int64_t bytes, bool blocking, bool pageable) {
  const std::lock_guard lock(figures().mutex);
  auto& copies = figures().counted.*direction;
  ++copies.count;
  copies.bytes += bytes;
  copies.blocking += blocking ? 1 : 0;
  copies.pageable += pageable ? 1 : 0;
}

void count_wait() {
  const std::lock_guard lock(figures().mutex);
  ++figures().counted.waits;
}

std::string describe(const Counters& counted) {
  return fmt::format(
      "  copies to the device    {}\n  copies from the device  {}\n  values read by the host {}: {}\n"
      "  waits of the host       {}\n  operators launched      {}: {}\n",
      describe(counted.to_device), describe(counted.from_device), counted.value_reads,
      frequent(counted.reads_of, 12), counted.waits, counted.launches, frequent(counted.launches_of, 12));
}

}  // namespace facemae::rehearsal
