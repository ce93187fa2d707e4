#pragma once
// Turns a store into WebDataset tars: one, or the shards of a pattern, written by any number of ranks.
#include <cstdint>

#include "core/files/files.h"
#include "core/progress.h"
#include "data/store/store.h"
#include "data/upkeep/unpack_names.h"

namespace facemae {

/// Writes the samples of rows [first, end), an image and its .cls each, and makes the file durable. Returns the
/// bytes of the images. Equal rows give equal bytes.
std::uint64_t write_tar(const Store& store, const UnpackNames& names, std::uint64_t first, std::uint64_t end,
                        const Path& tar, FileSystem& files, Progress& progress);

/// Is `out` the pattern of several shards, such as faces-{000000..000870}.tar? Throws like shard_pattern().
bool names_shards(const Path& out);

struct ShardsWritten {
  std::uint64_t images = 0, bytes = 0;  ///< of this rank, in this start
  std::uint64_t shards = 0,
                kept = 0;  ///< shards written; kept: those of this rank that an earlier start wrote
};
/// Shard s of S holds the rows [s N / S, (s + 1) N / S), whatever the ranks. A shard has its name when it is complete
/// and durable, and is kept then by later starts, which know by the mark PATTERN.unpacking that it is of the same
/// store. One rank, under the lock of `out`: checks and marks. Throws ConfigError: shards without a mark, or with that
/// of another store; more shards than images; too little space.
void begin_shards(const Store& store, const Path& out, FileSystem& files);
/// Every rank: writes every ranks-th shard that is not there.
ShardsWritten write_shards(const Store& store, const Path& out, FileSystem& files, int rank, int ranks,
                           bool show_progress);
/// One rank, when all have written theirs: removes the mark.
void finish_shards(const Path& out, FileSystem& files);

}  // namespace facemae
