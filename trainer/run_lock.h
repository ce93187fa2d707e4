#pragma once
// RUN/lock: one job at a time trains into a RUN.
#include "core/files.h"

namespace facemae {

/// Held by rank 0 while it lives; a killed process loses it. Where the file system has no locks, it warns and
/// goes on without one.
class RunLock {
 public:
  /// Makes RUN when it is missing. Throws Unresumable that names the owner when another process holds the
  /// lock, unless the owner is an earlier start of this same Slurm job: what is left of it may not stop a
  /// requeued job.
  explicit RunLock(const Path& run);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace facemae
