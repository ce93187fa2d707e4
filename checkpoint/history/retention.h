#pragma once
// Decides which checkpoints may go, and removes a folder so that no crash leaves half of it believed.
// Free of LibTorch.
#include <cstddef>
#include <optional>
#include <vector>

#include "checkpoint/history/discover.h"
#include "core/files/files.h"

namespace facemae {

/// Keeps the last `last` that count, those whose step is divisible by `every` (0: none), and the one with the
/// greatest metric if `best` is set.
struct RetentionPolicy {
  int last = 3;
  std::uint64_t every = 0;
  bool best = false;
};

struct RetainedCheckpoint {
  CheckpointId id;
  bool counts = false;    ///< a commit that readers believe and that is not known to be bad
  bool verified = false;  ///< read back from the storage, every hash right
  std::optional<double> metric;
};

/// Pure. Indices of those that go, out of checkpoints ordered newest first. A checkpoint goes only when two
/// newer ones count and are verified; one that does not count (of an abandoned branch, damaged, or unreadable
/// for a while) when two that were made after it, by the same start or a later one, do and are.
std::vector<std::size_t> to_delete(const std::vector<RetainedCheckpoint>& newest_first,
                                   const RetentionPolicy& policy);

/// All committed checkpoints of a folder in the form that to_delete() needs; metrics only if `with_metrics`.
std::vector<RetainedCheckpoint> survey(const Path& checkpoints, bool with_metrics);

/// Records that all hashes were right when the storage was read again.
void stamp_verified(FileSystem& files, const Path& folder);
/// Does the stamp exist, and is it that of this COMMIT?
bool is_verified(const Path& folder);

/// Renames COMMIT away and syncs the folder before any other file is removed. Throws FileError.
void remove_checkpoint(FileSystem& files, const Path& folder);
/// For a folder that was never announced: removes its COMMIT first, without ceremony. Throws FileError.
void remove_debris(FileSystem& files, const Path& folder);

}  // namespace facemae
