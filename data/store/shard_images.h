#pragma once
// Reads all images of a shard as the storage has them: this is how shards are checked after writing, by a
// pack that continues, and by `store verify`.
#include <cstdint>
#include <functional>

#include "core/files/files.h"
#include "data/store/shard_file.h"

namespace facemae {

/// No image of a face is larger.
inline constexpr std::uint64_t kMostImageBytes = 64 << 20;

/// Receives what is wrong with an image, "" if its CRC-32C is right.
using SeeImage = std::function<void(std::uint64_t index, const std::string& fault)>;

/// Reads each image around the page cache and reports on it; returns the digest of all bytes read. An image
/// that cannot be read is a fault if `bear_unreadable`, otherwise its FileError is thrown.
Hash128 reread_images(const ShardIndex& index, const ReadableFile& file, bool bear_unreadable,
                      const SeeImage& see);

}  // namespace facemae
