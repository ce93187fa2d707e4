#pragma once
// Does what rank 0 does after a commit, when nobody waits for it: stamp, hint, retention. Free of LibTorch.
#include <vector>

#include "checkpoint/history/retention.h"

namespace facemae {

/// Stamps the checkpoint if it was `verified`, writes LATEST (a hint for people), and removes unfinished
/// folders of starts up to `start` (this one) and what the policy releases; removes nothing once a later
/// start has taken over. The step is safe already, so failures are logged. `distrusted` ones do not count.
void tidy(FileSystem& files, const Path& checkpoints, CheckpointId id, std::uint32_t start, bool verified,
          const RetentionPolicy& policy, const std::vector<CheckpointId>& distrusted);

/// Removes what the policy releases, oldest first, and stops if `start` has been replaced by a later one;
/// returns what it removed. Throws FileError.
std::vector<CheckpointId> apply_retention(FileSystem& files, const Path& checkpoints,
                                          const RetentionPolicy& policy,
                                          const std::vector<CheckpointId>& distrusted,
                                          std::optional<std::uint32_t> start);

}  // namespace facemae
