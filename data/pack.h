#pragma once
// Makes stores: from folders of images and from synthetic faces. Killed at any moment, the same call goes on.
#include <cstdint>
#include <string>

#include "core/files.h"
#include "data/source.h"

namespace facemae {

struct PackConfig {
  Path out;
  std::uint64_t shard_bytes = 2048ULL << 20;
  std::uint64_t seed = 0;  ///< of the ingest shuffle
  int image_size = 0;      ///< 0: that of the first image; others are rejected unless `resize`
  bool resize = false;     ///< re-encode other sizes
  double max_reject_fraction = 0.001;
  std::string source_licence;
  int threads = 1;
  bool show_progress = true;
};

struct PackResult {
  std::uint64_t images = 0, bytes = 0, rejects = 0, duplicates = 0, shards = 0, resumed_shards = 0;
  std::int64_t identities = 0;
  double seconds = 0;
};

/// Decodes every image once to check it, writes shuffled shards (tmp, verify, fsync, rename, journal line),
/// the manifest last. Finished already: returns its figures when the catalogue and settings are the same,
/// else throws ConfigError. More rejects than allowed: DataError, nothing under the final names. rejects.csv
/// lists (source, reason).
PackResult pack(const ImageSource& source, const PackConfig& config, FileSystem& files);

}  // namespace facemae
