#pragma once
// Stores copied to a node's own disk: checked, atomic, resumable file by file.
#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/files/files.h"
#include "data/store/manifest.h"
#include "data/store/store.h"

namespace facemae {

struct StageResult {
  std::uint64_t bytes = 0;  ///< of the file; 0 when stopped
  bool copied = false;      ///< false: the same file was there already, or the copy was stopped
};

/// Copies a shard into `to_folder`, which must exist: bytes are hashed while they are copied, then fsync, the
/// copy's own index checked, rename, folder fsync, a note that it was checked (checked_note.h). A file that
/// is there under its final name with the same seal is taken for a finished copy when such a note says so;
/// without one it is read in full, and copied anew when it is damaged. From any thread; one at a time for the
/// same target. A requested stop ends it within a few MiB. Throws DataError when the source is damaged or
/// another shard than `info`, FileError when it cannot be written; nothing is left then.
StageResult stage_shard(FileSystem& files, const Path& from_folder, const ShardInfo& info,
                        const Path& to_folder, const std::stop_token& stop = {});

/// What goes where: a store into TO/<its folder's name>; of a view the parents too, each
/// into a folder beside it.
struct StagePlan {
  struct Part {
    Path from, to;
    StoreManifest manifest;
  };
  std::vector<Part> parts;          ///< the store with the shards first, what was asked for last
  std::uint64_t missing_bytes = 0;  ///< to be copied
  const Path& result() const { return parts.back().to; }
};

/// The folders that a stage writes into, the one with the shards first: for their locks.
std::vector<Path> stage_targets(const Path& store, const Path& to);

/// Makes the target folders. Throws DataError: no such store. ConfigError: the target is the store itself, or
/// has another store under this name, or too little space.
StagePlan plan_stage(FileSystem& files, const Path& store, const Path& to);

struct StageCount {
  std::uint64_t copied_bytes = 0, copied_files = 0, found_files = 0;
};
/// The shards i with i % ranks == rank. Each rank of a node, or one alone.
StageCount stage_shards(FileSystem& files, const StagePlan& plan, int rank, int ranks, bool show_progress);

/// The files beside the shards, and the manifests, which make the copies stores: one rank of a node, when all
/// have staged their shards.
StageCount finish_stage(FileSystem& files, const StagePlan& plan);

}  // namespace facemae
