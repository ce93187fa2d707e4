#pragma once
// Reads and writes one shard of a store: a plain HDF5 file with a blob of encoded images and
// index arrays (docs/FORMATS.md).
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "core/files/array.h"
#include "core/files/files.h"
#include "data/store/store.h"

namespace facemae {

/// What goes into a shard. A release has no ingest_seed, and then source_keys and flags must be empty: its
/// files have no such arrays.
struct ShardContent {
  std::string uuid;  ///< of the whole store
  std::uint64_t shard = 0, shards = 1;
  int image_size = 0;
  std::optional<std::uint64_t> ingest_seed;
  std::span<const std::vector<std::byte>> images;  ///< encoded, JPEG or PNG
  std::vector<std::int64_t> labels;                ///< one per image, -1 none
  std::vector<std::uint64_t> source_keys;          ///< XXH64 of the source-relative name
  std::vector<std::uint8_t> flags;                 ///< see jpeg_markers.h
};

/// "shard-00042.h5"
std::string shard_name(std::uint64_t shard);

/// Writes FOLDER/shard-NNNNN.h5 under a temporary name of its own, fsyncs it, reads it back around the page
/// cache and checks every CRC and both digests, renames it and fsyncs the folder. Equal content gives equal
/// bytes. The folder must exist. Throws FileError; removes what it wrote on failure. first_global of the
/// result is 0: only the manifest knows it. Images are read back through `inputs`.
ShardInfo write_shard(FileSystem& files, const Path& folder, const ShardContent& content,
                      InputFiles& inputs = real_inputs());

/// A shard's header and index.
struct ShardIndex {
  std::string uuid, codec;  ///< codec: "jpeg", "png" or "mixed"
  std::uint64_t shard = 0, shards = 0;
  int image_size = 0;
  std::optional<std::uint64_t> ingest_seed;
  ShardInfo info;  ///< `file` is the file's name, first_global 0
  // Arrays in their place in the file (read_shard), at any alignment: read single values.
  Array<std::uint64_t> offsets;  ///< images + 1, relative to the blob
  Array<std::uint32_t> crcs;     ///< CRC-32C of each image
  Array<std::int64_t> labels;
  Array<std::uint64_t> source_keys;  ///< empty in a release
  Array<std::uint8_t> flags;         ///< empty in a release
};

/// Opens a shard read-only without file locking; checks that it is complete, that its arrays agree, and the
/// index digest, unless told that another process of this host has just done so. Throws DataError naming the
/// file and the remedy, FileError when it cannot be read.
ShardIndex read_shard(const Path& file, SealCheck check = SealCheck::Hashed);

}  // namespace facemae
