#pragma once
// A small finished store on disk for tests of the store tools and of releases, with every
// secret a source can have.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "core/files/files.h"
#include "core/random/keys.h"
#include "data/image/image.h"
#include "data/store/manifest.h"
#include "data/store/shard_file.h"
#include "data/store/store.h"
#include "tests/temporary_folder.h"

namespace facemae::testing_stores {

using test::TemporaryFolder;

inline constexpr std::uint64_t kIngestSeed = 0x71A4C39B5D02E86FULL;
inline constexpr const char* kUser = "zz-planted-user";
inline constexpr const char* kSettings =
    R"({"in": "/home/zz-planted-user/faces", "when": "2031-02-03T04:05:06"})";

inline std::string planted_name(std::int64_t label) { return "planted-name-" + std::to_string(label); }
inline std::uint64_t planted_key(std::uint64_t row) {
  const std::string file = "planted-name/planted-file-" + std::to_string(row) + ".jpg";
  return xxh64(bytes_of(file));
}

inline std::vector<std::byte> tiny_picture(std::uint64_t content, int side = 16) {
  Image image{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(side * side * 3))};
  Draws draws(content);
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(draws.next());
  return encode_jpeg(image, 90);
}

/// Identity k has counts[k] images; rows run over the identities in turn; `shard_images` rows a shard.
inline std::shared_ptr<const Store> make_store(
    const Path& folder, std::vector<std::uint64_t> counts, std::uint64_t shard_images = 16,
    const std::function<std::vector<std::byte>(std::uint64_t)>& picture_of_row = [](std::uint64_t row) {
      return tiny_picture(row);
    }) {
  std::filesystem::create_directories(folder);
  StoreManifest manifest;
  manifest.uuid = "11111111-2222-4333-8444-555555555555";
  manifest.identities = static_cast<std::int64_t>(counts.size());
  manifest.image_size = 16;
  manifest.ingest_seed = kIngestSeed;
  manifest.pack_settings = kSettings;
  manifest.source_licence = "for research only";
  for (std::size_t k = 0; k < counts.size(); ++k) {
    manifest.identity_names.push_back(planted_name(static_cast<std::int64_t>(k)));
  }
  std::vector<std::int64_t> labels;
  for (bool more = true; more;) {
    more = false;
    for (std::size_t k = 0; k < counts.size(); ++k) {
      if (counts[k] == 0) continue;
      --counts[k];
      labels.push_back(static_cast<std::int64_t>(k));
      more = true;
    }
  }
  const std::uint64_t rows = labels.size(), shards = (rows + shard_images - 1) / shard_images;
  for (std::uint64_t shard = 0; shard < shards; ++shard) {
    ShardContent content;
    std::vector<std::vector<std::byte>> images;
    content.uuid = manifest.uuid;
    content.shard = shard;
    content.shards = shards;
    content.image_size = 16;
    content.ingest_seed = kIngestSeed;
    for (std::uint64_t row = shard * shard_images; row < std::min(rows, (shard + 1) * shard_images); ++row) {
      images.push_back(picture_of_row(row));
      content.labels.push_back(labels[row]);
      content.source_keys.push_back(planted_key(row));
      content.flags.push_back(0);
    }
    content.images = images;
    manifest.shards.push_back(write_shard(real_files(), folder, content));
  }
  complete_manifest(manifest, labels);
  write_manifest(real_files(), folder, manifest);
  return Store::open(folder);
}

}  // namespace facemae::testing_stores
