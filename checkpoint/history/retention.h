#pragma once
// Which checkpoints may go, and how a folder goes so that no crash leaves half of it
// believed. Free of LibTorch.
#include <cstddef>
#include <optional>
#include <vector>

#include "checkpoint/history/discover.h"
#include "core/files/files.h"

namespace facemae {

/// Kept are the last `last` that count, those whose step `every` divides (0: none), and the one with the
/// greatest metric, when `best` is set.
struct RetentionPolicy {
  int last = 3;
  std::uint64_t every = 0;
  bool best = false;
};

struct RetainedCheckpoint {
  CheckpointId id;
  bool counts = false;    ///< a commit that readers believe, not known to be bad
  bool verified = false;  ///< read back from the storage, every hash right
  std::optional<double> metric;
};

/// Pure. Indices of those that go, of checkpoints newest first. A checkpoint goes only when two newer ones
/// count and are verified; one that does not count (a branch that was left, a damaged one, one that could not
/// be read for a while) when two that were made after it are, by the same start or a later one.
std::vector<std::size_t> to_delete(const std::vector<RetainedCheckpoint>& newest_first,
                                   const RetentionPolicy& policy);

/// All committed checkpoints of a folder as to_delete() wants them; metrics only when `with_metrics`.
std::vector<RetainedCheckpoint> survey(const Path& checkpoints, bool with_metrics);

/// Notes that all hashes were right when the storage was read again.
void stamp_verified(FileSystem& files, const Path& folder);
/// The stamp is there and is that of this COMMIT.
bool is_verified(const Path& folder);

/// COMMIT is renamed away and the folder synced before any other file goes. Throws FileError.
void remove_checkpoint(FileSystem& files, const Path& folder);
/// For a folder that was never announced: its COMMIT goes first, without ceremony. Throws FileError.
void remove_debris(FileSystem& files, const Path& folder);

}  // namespace facemae
