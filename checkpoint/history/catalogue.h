#pragma once
// Shows people and scripts what lies under a run's checkpoints, re-reads one, and compares two. It only
// reads, so all of it works while training runs. Free of LibTorch.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/history/discover.h"

namespace facemae {

struct CheckpointFacts {
  CheckpointFolder folder;
  /// "valid": COMMIT, manifest and sizes are right; "damaged"; "unreadable": the storage does not answer;
  /// "left": a commit that no start believes any more; "unfinished": no COMMIT.
  std::string state;
  std::string reason;                ///< of a damaged or unreadable one
  bool verified = false;             ///< stamped: read back, every hash right
  std::optional<Manifest> manifest;  ///< of valid ones and of those left
  std::int64_t time = 0;             ///< of the commit, seconds since 1970; 0 without one
  std::uint64_t bytes() const;       ///< of all files that the manifest names
};
/// All checkpoint folders of a run, newest first. Throws FileError.
std::vector<CheckpointFacts> catalogue(const Path& run);

/// Throws ConfigError when `run` is not the folder of a run, whether begun or not.
void expect_run(const Path& run);
/// True if the run committed something that should still count.
bool had_checkpoints(const Path& run);
/// Explains why a run has no valid checkpoint, `reasons` being the lines of those that are not valid: throws
/// Unresumable if there was one once, ConfigError if nothing was committed yet.
[[noreturn]] void refuse_without_checkpoint(const Path& run, const std::string& reasons);

/// Accepts RUN (its newest valid checkpoint) or a checkpoint's own folder. Throws ConfigError if it is
/// neither, Unresumable if a run had checkpoints and none is valid, UnreadableCheckpoint.
Path checkpoint_of(const Path& run_or_checkpoint);

/// Reads every byte and compares every hash; returns each fault by file, tensor and bytes. `read` receives
/// the number of bytes done. Throws UnreadableCheckpoint when the storage fails for some seconds.
std::vector<std::string> verify_checkpoint(const Path& folder,
                                           const std::function<void(std::uint64_t)>& read);

/// One line for each tensor that only one of them has, or that has another type or shape, or other bytes;
/// none if the roots are equal.
std::vector<std::string> differences_between(const Manifest& a, const Manifest& b);

}  // namespace facemae
