#pragma once
// Copies files of a store and checks them while copying: bytes are hashed on their way, then fsync, rename,
// fsync of the folder. All functions throw DataError when the source is damaged or not what was requested,
// FileError when the copy cannot be written, and then leave nothing behind.
#include <cstdint>
#include <stop_token>

#include "core/files/files.h"
#include "data/store/manifest.h"
#include "data/store/store.h"

namespace facemae {

/// Copies one shard, replacing whatever has its name in `to_folder`. The copy's own index is read back and
/// checked against `info`. A requested stop ends it within a few MiB. Returns the file's bytes, 0 if stopped.
std::uint64_t copy_shard(FileSystem& files, const Path& from_folder, const ShardInfo& info,
                         const Path& to_folder, const std::stop_token& stop = {});

/// Reads the shard in `folder` completely, from the storage. Throws DataError when it is not the shard that
/// `info` describes or any byte of it is damaged, FileError.
void check_shard(const Path& folder, const ShardInfo& info);

/// The same for a file whose seal covers all of it.
void check_sealed_file(const Path& path);

/// Copies a file whose seal covers all of it, such as manifest.h5. Returns its bytes.
std::uint64_t copy_sealed_file(FileSystem& files, const Path& from, const Path& to);

/// Copies a file that lies beside the shards. Returns its bytes.
std::uint64_t copy_companion(FileSystem& files, const Path& from_folder, const Companion& companion,
                             const Path& to_folder);

}  // namespace facemae
