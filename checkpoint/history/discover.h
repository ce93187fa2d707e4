#pragma once
// Finds which checkpoints lie under RUN/checkpoints and which of them count. Reads only. Free of LibTorch.
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/format/manifest.h"
#include "core/files/files.h"

namespace facemae {

struct CheckpointFolder {
  CheckpointId id;
  Path path;
  bool committed = false;  ///< there is a COMMIT, good or bad
};

/// "s000001200.a03"
std::string folder_name(CheckpointId id);
/// The step and start in a folder's name, or nothing if it is not that of a checkpoint.
std::optional<CheckpointId> parse_folder_name(const std::string& name);

/// All checkpoint folders, newest first by (step, start); none if `checkpoints` is
/// missing. Throws FileError.
std::vector<CheckpointFolder> list_checkpoints(const Path& checkpoints);
/// True if this run ever committed something: a line in HISTORY, or any COMMIT. With `counts`, only those for
/// which it is true; a line that cannot be read counts.
bool has_history(const Path& checkpoints, const std::vector<CheckpointFolder>& folders,
                 const std::function<bool(CheckpointId)>& counts = {});

/// The bytes of MANIFEST.pb of a folder whose COMMIT, manifest and file sizes are right; the tensors' bytes
/// are checked when they are read. Throws CheckpointError with the reason, UnreadableCheckpoint when the
/// storage fails for some seconds.
std::string valid_manifest_bytes(const Path& folder);

}  // namespace facemae
