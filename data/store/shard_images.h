#pragma once
// All images of a shard as the storage has them: how shards are checked after writing, by a pack that goes
// on, and by `store verify`.
#include <cstdint>
#include <functional>

#include "core/files/files.h"
#include "data/store/shard_file.h"

namespace facemae {

/// No image of a face takes more.
inline constexpr std::uint64_t kMostImageBytes = 64 << 20;

/// What is wrong with an image, "" when its CRC-32C fits.
using SeeImage = std::function<void(std::uint64_t index, const std::string& fault)>;

/// Reads each image around the page cache and tells of it; returns the digest of all bytes read. An image
/// that cannot be read is a fault when `bear_unreadable`, else its FileError is thrown.
Hash128 reread_images(const ShardIndex& index, const ReadableFile& file, bool bear_unreadable,
                      const SeeImage& see);

}  // namespace facemae
