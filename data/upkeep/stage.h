#pragma once
// Copies stores to a node's own disk: checked, atomic, and resumable file by file.
#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/files/files.h"
#include "data/store/manifest.h"
#include "data/store/store.h"

namespace facemae {

struct StageResult {
  std::uint64_t bytes = 0;  ///< of the file; 0 when stopped
  bool copied = false;      ///< false: the same file existed already, or the copy was stopped
};

/// Copies a shard into `to_folder`, which must exist: bytes are hashed while they are copied, then come
/// fsync, a check of the copy's own index, rename, fsync of the folder, and a note that it was checked
/// (checked_note.h). An existing file with the final name and the same seal counts as a finished copy if such
/// a note says so; without one it is read completely, and copied again if it is damaged. From any thread; one
/// at a time for the same target. A requested stop ends it within a few MiB. Throws DataError when the source
/// is damaged or not the shard of `info`, FileError when it cannot be written; then nothing is left behind.
StageResult stage_shard(FileSystem& files, const Path& from_folder, const ShardInfo& info,
                        const Path& to_folder, const std::stop_token& stop = {});

/// What goes where: a store into TO/<its folder's name>; for a view its parents, too, each into a
/// folder beside it.
struct StagePlan {
  struct Part {
    Path from, to;
    StoreManifest manifest;
  };
  std::vector<Part> parts;          ///< the store with the shards first, the one asked for last
  std::uint64_t missing_bytes = 0;  ///< to be copied
  const Path& result() const { return parts.back().to; }
};

/// The folders that a stage writes into, the one with the shards first: for their locks.
std::vector<Path> stage_targets(const Path& store, const Path& to);

/// Creates the target folders. Throws DataError: no such store. ConfigError: the target is the store itself,
/// or holds another store under this name, or has too little space.
StagePlan plan_stage(FileSystem& files, const Path& store, const Path& to);

struct StageCount {
  std::uint64_t copied_bytes = 0, copied_files = 0, found_files = 0;
};
/// Copies the shards i with i % ranks == rank. Called by each rank of a node, or by one alone.
StageCount stage_shards(FileSystem& files, const StagePlan& plan, int rank, int ranks, bool show_progress);

/// Copies the files beside the shards, and the manifests, which make the copies stores: one rank of a node,
/// once all have staged their shards.
StageCount finish_stage(FileSystem& files, const StagePlan& plan);

}  // namespace facemae
