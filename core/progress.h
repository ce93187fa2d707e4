#pragma once
// Shows the progress of long work: one rewritten line on a terminal, a plain line every so often in a log.
#include <chrono>
#include <cstdint>
#include <string>

namespace facemae {

/// Counts finished work from one thread and prints the rate and the time left to stderr. Prints nothing when
/// constructed with show = false.
class Progress {
 public:
  /// "packing  1,200 of 5,000 images  410 images/s  9 s left"
  Progress(std::string what, std::uint64_t total, std::string unit, bool show = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t count = 1, const std::string& note = "");
  void finish();  ///< prints the last line, with the total time and rate
  /// Work that an earlier start had finished: counted, but not part of the rate.
  void start_from(std::uint64_t done) { done_ = started_at_ = done; }

 private:
  using Clock = std::chrono::steady_clock;
  void print(bool last);
  std::string what_, unit_, note_;
  std::uint64_t total_, done_ = 0, started_at_ = 0;
  bool show_, terminal_, finished_ = false;
  Clock::time_point start_, printed_;
};

}  // namespace facemae
