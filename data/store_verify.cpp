#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "data/manifest.h"
#include "data/shard_file.h"
#include "data/store_tools.h"

namespace facemae {
namespace {

/// The folder with the shard files: a view has none of its own.
Path shard_folder(const Store& store) {
  Path folder = store.folder();
  StoreManifest manifest = read_manifest(folder);
  while (manifest.kind == StoreManifest::Kind::View) {
    folder /= manifest.parent;
    manifest = read_manifest(folder);
  }
  return folder;
}

void verify_shard(const Path& folder, const ShardInfo& info, Progress& progress, std::vector<BadImage>& bad) {
  const auto report = [&](std::uint64_t index, const std::string& reason) {
    bad.push_back({.shard = info.file, .row = info.first_global + index, .index = index, .reason = reason});
  };
  ShardIndex index;
  try {
    index = read_shard(folder / info.file);
  } catch (const Error& error) {
    report(0, std::string("the whole shard is unreadable: ") + error.what());
    progress.advance(info.images);
    return;
  }
  if (index.info.images != info.images || index.info.index_digest != info.index_digest) {
    report(0, "the whole shard is another one than the manifest names (its index digest differs)");
    progress.advance(info.images);
    return;
  }
  const InputFile file(folder / info.file);
  const std::size_t bad_before = bad.size();
  Hasher blob;
  std::vector<std::byte> image;
  for (std::uint64_t i = 0; i < info.images; ++i) {
    image.resize(index.offsets[i + 1] - index.offsets[i]);
    try {
      file.read_at(index.info.blob_offset + index.offsets[i], image);
      const std::uint32_t found = crc32c(image);
      if (found != index.crcs[i]) {
        report(i, fmt::format("CRC-32C is {:08x}, the index says {:08x}", found, index.crcs[i]));
      }
    } catch (const FileError& error) {
      report(i, error.what());
    }
    blob.add(image);
    progress.advance();
  }
  // Named images explain a different digest; without one the manifest and the shard disagree.
  if (bad.size() == bad_before && blob.digest() != info.blob_digest) {
    report(0, "every CRC fits, but the blob digest differs from the manifest's");
  }
}

}  // namespace

std::vector<BadImage> verify_store(const Store& store, int part, int parts, bool show_progress) {
  if (parts < 1 || part < 0 || part >= parts) {
    throw ConfigError(
        fmt::format("verifying {}: part {} of {} is impossible", store.folder().string(), part, parts));
  }
  const auto mine = [&](std::size_t shard) {
    return static_cast<int>(shard % static_cast<std::size_t>(parts)) == part;
  };
  const Path folder = shard_folder(store);
  const auto& shards = store.shards();
  std::uint64_t images = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) images += mine(i) ? shards[i].images : 0;
  Progress progress("verifying", images, "images", show_progress);
  std::vector<BadImage> bad;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (mine(i)) verify_shard(folder, shards[i], progress, bad);
  }
  progress.finish();
  return bad;
}

}  // namespace facemae
