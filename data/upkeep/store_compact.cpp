#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "data/store/manifest.h"
#include "data/store/manifest_arrays.h"
#include "data/store/manifest_chain.h"
#include "data/store/shard_file.h"
#include "data/upkeep/store_tools.h"

namespace facemae {
namespace {

/// An image of the view, by its row in the store that has the shards.
struct Kept {
  std::uint64_t root_row, view_row;
};

/// In the order of the shards of the last store in the chain.
std::vector<Kept> kept_images(std::vector<ChainLink>& chain) {
  std::vector<Kept> kept;
  for (auto& [folder, manifest] : chain) {
    if (manifest.kind == StoreManifest::Kind::Store) break;
    read_view(folder, manifest);
    if (&manifest == &chain.front().manifest)
      for (std::uint64_t row = 0; row < manifest.images; ++row) kept.push_back({row, row});
    for (auto& image : kept) {
      if (image.root_row >= manifest.images)
        throw DataError("compacting " + chain.front().folder.string() + ": " + folder.string() +
                        " has changed meanwhile");
      image.root_row = manifest.rows[image.root_row];
    }
  }
  std::sort(kept.begin(), kept.end(), [](auto& a, auto& b) { return a.root_row < b.root_row; });
  return kept;
}

/// The stretches of `kept` that lie in the same shard.
std::vector<std::span<const Kept>> by_shard(const std::vector<Kept>& kept,
                                            const std::vector<ShardInfo>& shards) {
  std::vector<std::span<const Kept>> groups;
  auto begin = kept.begin();
  for (const auto& shard : shards) {
    const auto end =
        std::lower_bound(begin, kept.end(), shard.first_global + shard.images,
                         [](const Kept& image, std::uint64_t row) { return image.root_row < row; });
    groups.emplace_back(begin, end);
    begin = end;
  }
  return groups;
}

bool is_there(const Path& path, const ShardContent& content) {
  if (!std::filesystem::exists(path)) return false;
  try {
    const ShardIndex index = read_shard(path);
    return index.uuid == content.uuid && index.shard == content.shard && index.shards == content.shards;
  } catch (const DataError&) {
    return false;  // damaged: it is written again
  }
}

}  // namespace

void compact_store(FileSystem& files, const Path& folder, const Path& out, bool show_progress) {
  auto chain = manifest_chain(folder);
  const StoreManifest view = chain.front().manifest;
  if (view.kind != StoreManifest::Kind::View)
    throw ConfigError("compacting " + folder.string() +
                      ": it is not a view, so it holds only its own images");
  const auto store = Store::open(folder);
  const auto kept = kept_images(chain);
  const auto& [root_folder, root] = chain.back();

  StoreManifest manifest;
  manifest.uuid = xxh128(bytes_of(root.uuid + view.dataset_digest.hex())).hex();
  manifest.image_size = view.image_size;
  manifest.identities = view.identities;
  manifest.released = view.released;
  manifest.source_licence = view.source_licence;
  manifest.ingest_seed = root.ingest_seed;
  if (!root.pack_settings.empty())
    manifest.pack_settings = nlohmann::json{{"compacted_from", view.dataset_digest.hex()}}.dump();
  for (std::int64_t k = 0; k < view.identities; ++k)
    if (auto name = store->identity_name(k); !name.empty())
      manifest.identity_names.push_back(std::move(name));

  const auto groups = by_shard(kept, root.shards);
  const auto shards = static_cast<std::uint64_t>(
      std::count_if(groups.begin(), groups.end(), [](const auto& group) { return !group.empty(); }));
  if (std::filesystem::exists(out / kManifestName)) {
    if (read_manifest(out).uuid == manifest.uuid) return;
    throw ConfigError("compacting into " + out.string() +
                      ": another store is there; remove it or choose another --out");
  }
  make_folders(files, out);
  Progress progress("compacting", kept.size(), "images", show_progress);
  std::vector<std::int64_t> labels;
  for (std::size_t s = 0; s < groups.size(); ++s) {
    if (groups[s].empty()) continue;
    ShardContent content;
    content.uuid = manifest.uuid;
    content.shard = manifest.shards.size();
    content.shards = shards;
    content.image_size = manifest.image_size;
    content.ingest_seed = root.ingest_seed;
    for (const auto& image : groups[s]) content.labels.push_back(store->label(image.view_row));
    labels.insert(labels.end(), content.labels.begin(), content.labels.end());
    const Path path = out / shard_name(content.shard);
    if (is_there(path, content)) {
      manifest.shards.push_back(read_shard(path).info);
    } else {
      const ShardIndex index = read_shard(root_folder / root.shards[s].file);
      std::vector<std::vector<std::byte>> images(groups[s].size());
      for (std::size_t i = 0; i < images.size(); ++i) {
        store->read(groups[s][i].view_row, images[i]);
        const std::uint64_t at = groups[s][i].root_row - root.shards[s].first_global;
        if (!root.ingest_seed) continue;
        content.source_keys.push_back(index.source_keys[at]);
        content.flags.push_back(index.flags[at]);
      }
      content.images = images;
      manifest.shards.push_back(write_shard(files, out, content));
    }
    progress.advance(groups[s].size());
  }
  progress.finish();
  complete_manifest(manifest, labels);
  write_manifest(files, out, manifest);
}

}  // namespace facemae
