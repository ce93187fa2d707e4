#pragma once
// Gathers what `facemae store info` shows: figures of a store, without reading its images.
#include <cstdint>
#include <map>
#include <string>

#include "core/files/files.h"

namespace facemae {

/// "4:2:0", "4:4:4 progressive", ...: of /index/flags.
std::string name_of_flags(std::uint8_t flags);

struct StoreFacts {
  Path folder;
  bool view = false;
  Path parent;  ///< of a view
  std::uint64_t format_version = 0;
  std::string uuid, dataset_digest, source_licence;
  bool released = false;
  std::uint64_t images = 0;
  std::int64_t identities = 0;
  int image_size = 0;
  std::uint64_t fewest = 0, median = 0, most = 0;  ///< images of an identity
  std::uint64_t rejects = 0, duplicates = 0;       ///< from when it was packed; 0 for a view
  // Of the store that has the shards: for a view, its parent.
  std::uint64_t shards = 0, shard_images = 0, bytes = 0;  ///< bytes of the encoded images
  std::string codec;                                      ///< of the first shard
  /// How many images of the first shard, a random sample, are "4:2:0", "4:4:4 progressive", and so on; empty
  /// in a release.
  std::map<std::string, std::uint64_t> subsampling;
  double mean_image_bytes() const {
    return shard_images == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(shard_images);
  }
};

/// Reads the manifest, identities.h5, and the first shard's index. Throws DataError.
StoreFacts facts_of_store(const Path& folder);

}  // namespace facemae
