#pragma once
// The two halves of a save: every rank's file, then rank 0's manifest and commit.
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/state.h"
#include "core/files.h"

namespace facemae {

/// Writes this rank's r<rank>.safetensors with its share of the state, hashing memory as it goes. No file is
/// written when there is nothing to write: the report's file then has no name. Throws FileError.
RankReport write_rank_file(FileSystem& files, const Path& folder, const Snapshot& snapshot,
                           const StateShape& shape, int rank, int world);

/// The manifest of all ranks' reports. Throws CheckpointError when they do not add up to the state.
Manifest merge_reports(const Snapshot& snapshot, const StateShape& shape, CheckpointId id,
                       std::optional<CheckpointId> parent, const std::vector<std::string>& reports);

/// Makes the step exist: MANIFEST.pb, HISTORY when there is a checkpoint already, folders, COMMIT; each
/// durable before the next. Throws FileError.
void commit(FileSystem& files, const Path& checkpoints, const Manifest& manifest);

}  // namespace facemae
