#include "data/release/release.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "data/release/release_ledger.h"
#include "data/store/manifest.h"
#include "data/store/shard_file.h"

namespace facemae {
namespace {

struct Range {
  std::size_t begin, end;
};
Range rows_of_shard(const ReleasePlan& plan, std::uint64_t shard) {
  if (shard >= plan.shards()) {
    throw Error(fmt::format("shard {} of a release with {} shards was requested", shard, plan.shards()));
  }
  return {static_cast<std::size_t>(shard * plan.shard_images),
          static_cast<std::size_t>(std::min(plan.pictures(), (shard + 1) * plan.shard_images))};
}

std::vector<std::int64_t> labels_of_shard(const ReleasePlan& plan, std::uint64_t shard) {
  const Range range = rows_of_shard(plan, shard);
  return {plan.labels.begin() + static_cast<std::ptrdiff_t>(range.begin),
          plan.labels.begin() + static_cast<std::ptrdiff_t>(range.end)};
}

bool fits(const ShardIndex& index, const ReleaseSecret& secret, const ReleasePlan& plan,
          std::uint64_t shard) {
  return index.uuid == secret.uuid && index.shard == shard && index.shards == plan.shards() &&
         !index.ingest_seed && index.labels == labels_of_shard(plan, shard);
}

void mark_finished(PrivateFolder& folder, const std::string& uuid) {
  auto entries = read_ledger(folder);
  for (LedgerEntry& entry : entries) {
    if (entry.uuid == uuid) entry.finished = true;
  }
  write_ledger(folder, entries);
}

/// What the ledger says of the partition of a release; "" when it has none.
std::string partition_of(const PrivateFolder& folder, const std::string& uuid) {
  for (const LedgerEntry& entry : read_ledger(folder))
    if (entry.uuid == uuid) return entry.partition;
  return "";
}

}  // namespace

void write_release_shard(FileSystem& files, const Path& out, const ReleaseSecret& secret,
                         const ReleasePlan& plan, std::uint64_t shard,
                         const std::vector<std::vector<std::byte>>& encoded, int image_size) {
  const Range range = rows_of_shard(plan, shard);
  if (encoded.size() != range.end - range.begin) {
    throw Error(fmt::format("writing shard {} of the release {}: {} images were given, but the plan has {}",
                            shard, out.string(), encoded.size(), range.end - range.begin));
  }
  make_folders(files, out);
  ShardContent content;  // source keys, flags and the ingest seed stay empty
  content.uuid = secret.uuid;
  content.shard = shard;
  content.shards = plan.shards();
  content.image_size = image_size;
  content.images = encoded;
  content.labels = labels_of_shard(plan, shard);
  write_shard(files, out, content);
}

bool release_shard_done(const Path& out, const ReleaseSecret& secret, const ReleasePlan& plan,
                        std::uint64_t shard) {
  const Path path = out / shard_name(shard);
  if (!std::filesystem::exists(path)) return false;
  try {
    return fits(read_shard(path), secret, plan, shard);
  } catch (const DataError&) {
    return false;  // damaged: it is written again
  }
}

void finish_release(FileSystem& files, const Path& out, PrivateFolder& folder, const ReleaseSecret& secret,
                    const ReleasePlan& plan, const ReleaseNotes& notes, const Store& source) {
  StoreManifest manifest;
  manifest.uuid = secret.uuid;
  manifest.identities = plan.identities;
  manifest.released = true;
  manifest.source_licence = notes.source_licence;
  for (std::uint64_t shard = 0; shard < plan.shards(); ++shard) {
    const Path path = out / shard_name(shard);
    const ShardIndex index = read_shard(path);
    if (!fits(index, secret, plan, shard)) {
      throw DataError(path.string() +
                      " does not belong to this release: remove it and run the same command again");
    }
    manifest.image_size = index.image_size;
    manifest.shards.push_back(index.info);
  }
  complete_manifest(manifest, plan.labels);
  // The manifest makes this a finished store, so everything that belongs to it comes first.
  write_link(folder, secret, plan, manifest.dataset_digest, source);
  write_durably(files, out / "RELEASE.md", release_text(manifest, notes, partition_of(folder, secret.uuid)));
  write_manifest(files, out, manifest);
  mark_finished(folder, secret.uuid);
}

}  // namespace facemae
