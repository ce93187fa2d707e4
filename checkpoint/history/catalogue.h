#pragma once
// What lies under a run's checkpoints, for people and scripts; re-reading one; comparing two. Reads only, so
// all of it works while training runs. Free of LibTorch.
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
  std::optional<Manifest> manifest;  ///< of valid ones and those left
  std::int64_t time = 0;             ///< of the commit, seconds since 1970; 0 without one
  std::uint64_t bytes() const;       ///< of all files that the manifest names
};
/// All checkpoint folders of a run, newest first. Throws FileError.
std::vector<CheckpointFacts> catalogue(const Path& run);

/// Throws ConfigError when `run` is not the folder of a run, begun or not yet begun.
void expect_run(const Path& run);
/// True when the run committed something that should still count.
bool had_checkpoints(const Path& run);
/// Says of a run why it has no valid checkpoint, `reasons` being the lines of those that are not valid:
/// throws Unresumable when there was one once, ConfigError when nothing was committed yet.
[[noreturn]] void refuse_without_checkpoint(const Path& run, const std::string& reasons);

/// RUN (its newest valid checkpoint) or a checkpoint's own folder. Throws ConfigError when it is neither,
/// Unresumable when a run had checkpoints and none is valid, UnreadableCheckpoint.
Path checkpoint_of(const Path& run_or_checkpoint);

/// Reads every byte and compares every hash; returns each fault by file, tensor and bytes. `read` is told of
/// bytes done. Throws UnreadableCheckpoint when the storage fails for some seconds.
std::vector<std::string> verify_checkpoint(const Path& folder,
                                           const std::function<void(std::uint64_t)>& read);

/// A line for each tensor that is in one only, has another type or shape, or other bytes; none when
/// the roots are equal.
std::vector<std::string> differences_between(const Manifest& a, const Manifest& b);

}  // namespace facemae
