#pragma once
// Copies of stores, checked while they are made: to a node's own disk, or back from a replica.
#include <cstdint>
#include <stop_token>

#include "core/files.h"
#include "data/store.h"

namespace facemae {

struct StageResult {
  std::uint64_t bytes = 0;  ///< of the file; 0 when stopped
  bool copied = false;      ///< false: the same file was there already, or the copy was stopped
};

/// Copies a shard into `to_folder`, which must exist: bytes are hashed while they are copied, then tmp,
/// fsync, the copy's own index checked, rename, folder fsync. A file that is there under its final name with
/// the same seal is taken for a finished copy. From any thread; one at a time for the same target. A
/// requested stop ends it within a few MiB. Throws DataError when the source is damaged or another shard than
/// `info`, FileError when it cannot be written; the .tmp is removed then.
StageResult stage_shard(FileSystem& files, const Path& from_folder, const ShardInfo& info,
                        const Path& to_folder, const std::stop_token& stop = {});

}  // namespace facemae
