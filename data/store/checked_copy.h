#pragma once
// Copies of a store's files that are checked while they are made: bytes are hashed on their way, then fsync,
// rename, folder fsync. All throw DataError when the source is damaged or not what was asked for, FileError
// when it cannot be written, and leave nothing then.
#include <cstdint>
#include <stop_token>

#include "core/files/files.h"
#include "data/store/manifest.h"
#include "data/store/store.h"

namespace facemae {

/// One shard, whatever lies in `to_folder` under its name. The copy's own index is read back and checked
/// against `info`. A requested stop ends it within a few MiB. Returns the file's bytes, 0 when stopped.
std::uint64_t copy_shard(FileSystem& files, const Path& from_folder, const ShardInfo& info,
                         const Path& to_folder, const std::stop_token& stop = {});

/// Reads the shard in `folder` in full, from the storage. Throws DataError when it is not the shard that
/// `info` means or any byte of it is damaged, FileError.
void check_shard(const Path& folder, const ShardInfo& info);

/// The same for a file whose seal says all.
void check_sealed_file(const Path& path);

/// A file whose seal says all, as manifest.h5. Returns its bytes.
std::uint64_t copy_sealed_file(FileSystem& files, const Path& from, const Path& to);

/// A file beside the shards. Returns its bytes.
std::uint64_t copy_companion(FileSystem& files, const Path& from_folder, const Companion& companion,
                             const Path& to_folder);

}  // namespace facemae
