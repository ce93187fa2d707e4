#include "data/store/store_facts.h"

#include <algorithm>
#include <vector>

#include "data/image/jpeg_markers.h"
#include "data/store/manifest.h"
#include "data/store/manifest_arrays.h"
#include "data/store/manifest_chain.h"
#include "data/store/shard_file.h"

namespace facemae {
namespace {

void count_images_of_identities(const Path& folder, const StoreManifest& manifest, StoreFacts& facts) {
  const Identities identities = Identities::read(folder, manifest);
  std::vector<std::uint64_t> counts;
  for (std::int64_t k = 0; k < manifest.identities; ++k) counts.push_back(identities.rows_of(k).size());
  if (counts.empty()) return;
  std::sort(counts.begin(), counts.end());
  facts.fewest = counts.front();
  facts.median = counts[counts.size() / 2];
  facts.most = counts.back();
}

}  // namespace

std::string name_of_flags(std::uint8_t flags) {
  static constexpr const char* names[] = {"4:4:4", "4:2:2", "4:2:0", "grey",
                                          "4:4:0", "4:1:1", "other", "no JPEG"};
  return names[flags & kFlagSubsampling] + std::string((flags & kFlagProgressive) != 0 ? " progressive" : "");
}

StoreFacts facts_of_store(const Path& folder) {
  const auto chain = manifest_chain(folder);
  const StoreManifest& manifest = chain.front().manifest;
  StoreFacts facts{.folder = folder,
                   .view = manifest.kind == StoreManifest::Kind::View,
                   .format_version = kManifestVersion,
                   .uuid = manifest.uuid,
                   .dataset_digest = manifest.dataset_digest.hex(),
                   .source_licence = manifest.source_licence,
                   .released = manifest.released,
                   .images = manifest.images,
                   .identities = manifest.identities,
                   .image_size = manifest.image_size,
                   .rejects = manifest.rejects,
                   .duplicates = manifest.duplicates};
  count_images_of_identities(folder, manifest, facts);
  if (facts.view) facts.parent = chain[1].folder;
  const auto& [shard_folder, root] = chain.back();
  facts.shards = root.shards.size();
  for (const auto& shard : root.shards) {
    facts.shard_images += shard.images;
    facts.bytes += shard.bytes;
  }
  if (!root.shards.empty()) {
    const ShardIndex index = read_shard(shard_folder / root.shards.front().file);
    facts.codec = index.codec;
    for (const std::uint8_t flags : index.flags) ++facts.subsampling[name_of_flags(flags)];
  }
  return facts;
}

}  // namespace facemae
