#pragma once
// Which checkpoints may go, and how a folder goes so that no crash leaves half of it believed.
#include <cstddef>
#include <vector>

#include "core/files.h"

namespace facemae {

/// Pure. `valid` tells of each checkpoint, newest first, whether it counts. The last `keep` valid ones (at
/// least 2) stay, and whatever is newer than the oldest of them; the result are the indices of those that go.
std::vector<std::size_t> to_delete(const std::vector<bool>& valid, int keep);

/// COMMIT is renamed away and the folder synced before any other file goes. Throws FileError.
void remove_checkpoint(FileSystem& files, const Path& folder);
/// For a folder that was never announced: its COMMIT goes first, without ceremony. Throws FileError.
void remove_debris(FileSystem& files, const Path& folder);

}  // namespace facemae
