#pragma once
// What rank 0 does after a commit, when nobody waits for it: stamp, hint, retention. Free of LibTorch.
#include <vector>

#include "checkpoint/history/retention.h"

namespace facemae {

/// Stamps the checkpoint when it was `verified`, writes LATEST (a hint for people), removes unfinished
/// folders of starts up to `start`, which is this one, and what the policy lets go; nothing is removed when a
/// later start has taken over. The step is safe already, so failures are logged. `distrusted` do not count.
void tidy(FileSystem& files, const Path& checkpoints, CheckpointId id, std::uint32_t start, bool verified,
          const RetentionPolicy& policy, const std::vector<CheckpointId>& distrusted);

/// Removes what the policy lets go, oldest first, and stops when `start` has been replaced by a later one;
/// returns what is gone. Throws FileError.
std::vector<CheckpointId> apply_retention(FileSystem& files, const Path& checkpoints,
                                          const RetentionPolicy& policy,
                                          const std::vector<CheckpointId>& distrusted,
                                          std::optional<std::uint32_t> start);

}  // namespace facemae
