#pragma once
// RUN/lock: one job at a time trains into a RUN.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "core/files.h"

namespace facemae {

/// Held by rank 0 while it lives; a killed process loses it. Where the file system has no locks,
/// RUN/heartbeat decides: it is touched every few seconds while the run lives.
class RunLock {
 public:
  /// Makes RUN when it is missing. Throws Unresumable that names the owner when another process holds the
  /// run, unless the owner is an earlier start of this same Slurm job: what is left of it may not stop a
  /// requeued job.
  explicit RunLock(const Path& run);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Does anybody hold the run now? Only looks. Without locks, told by the heartbeat's age.
  static bool held(const Path& run);
  /// Is the heartbeat touched within `patience`? No clocks are compared: those of hosts and storage differ.
  static bool beats(const Path& run, std::chrono::milliseconds patience);

 private:
  void beat(const Path& heartbeat);

  int descriptor_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool end_ = false;
  std::thread beating_;
};

}  // namespace facemae
