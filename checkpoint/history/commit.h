#pragma once
// Does rank 0's half of a save: one manifest of all ranks' reports, and the commit that makes the step exist.
// Free of LibTorch.
#include <chrono>
#include <string>
#include <vector>

#include "checkpoint/format/manifest.h"
#include "core/files/files.h"

namespace facemae {

/// Adds files, tensors and root of all ranks' reports (serialised, in rank order) to what the manifest
/// already says. Throws CheckpointError when they do not add up to the state.
Manifest merge_reports(Manifest manifest, const StateShape& shape, const std::vector<std::string>& reports);

/// Appends a line to HISTORY and syncs it; the name of a new HISTORY only with the folder. Throws FileError.
void note_in_history(FileSystem& files, const Path& checkpoints, CheckpointId id, std::uint64_t samples,
                     const Hash128& root);

/// The longest that a network file system may take to show rank 0 what the others have written, and a margin.
inline constexpr std::chrono::milliseconds kShowPatience = std::chrono::seconds(90);

/// Looks at every file that the manifest names: a report says what a rank has written, not that it lies
/// where rank 0 commits it. Waits for at most `patience`; throws FileError naming what is missing or
/// has another size.
void require_seen(const Path& checkpoints, const Manifest& manifest,
                  std::chrono::milliseconds patience = kShowPatience);

/// Makes the step exist: MANIFEST.pb, HISTORY if there is a checkpoint already, folders, COMMIT; each durable
/// before the next. Throws FileError.
void commit(FileSystem& files, const Path& checkpoints, const Manifest& manifest);

}  // namespace facemae
