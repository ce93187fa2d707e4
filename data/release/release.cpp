#include "data/release/release.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "data/hdf5/hdf5.h"
#include "data/release/release_ledger.h"
#include "data/store/manifest.h"
#include "data/store/shard_file.h"

namespace facemae {
namespace {

constexpr const char* kLinkName = "link.h5";
constexpr const char* kLinkFormat = "facemae-link";

struct Range {
  std::size_t begin, end;
};
Range rows_of_shard(const ReleasePlan& plan, std::uint64_t shard) {
  if (shard >= plan.shards()) {
    throw Error(fmt::format("shard {} of a release with {} shards was requested", shard, plan.shards()));
  }
  return {static_cast<std::size_t>(shard * plan.shard_images),
          std::min(plan.source_rows.size(), static_cast<std::size_t>((shard + 1) * plan.shard_images))};
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

/// The source label of each released label.
std::vector<std::int64_t> label_map(const ReleasePlan& plan, const Store& source) {
  std::vector<std::int64_t> map(static_cast<std::size_t>(plan.identities), -1);
  for (std::size_t i = 0; i < plan.labels.size(); ++i) {
    if (plan.labels[i] >= 0)
      map[static_cast<std::size_t>(plan.labels[i])] = source.label(plan.source_rows[i]);
  }
  return map;
}

void write_link(PrivateFolder& folder, const ReleaseSecret& secret, const ReleasePlan& plan,
                const Hash128& released_digest, const Store& source) {
  const std::string temporary = std::string(kLinkName) + ".tmp";
  // The link of an earlier release is kept beside it.
  if (folder.has(kLinkName)) {
    std::string uuid = hdf5::Reader::open(folder.at(kLinkName)).read_text("uuid");
    if (uuid != secret.uuid) folder.rename(kLinkName, "link-" + uuid + ".h5");
  }
  folder.create(temporary)->close();  // closed to others before it contains anything
  auto file = hdf5::File::create(folder.at(temporary));
  file.write_attribute("format", std::string(kLinkFormat));
  file.write_attribute("version", std::uint64_t{1});
  file.write_attribute("uuid", secret.uuid);
  file.write_attribute("source_digest", secret.source_digest);
  file.write_attribute("released_digest", released_digest.hex());
  file.write_array("/source_row", plan.source_rows);
  file.write_array("/source_label", label_map(plan, source));
  file.flush();
  file.close();
  hdf5::publish(folder, temporary, kLinkName);
}

std::string release_text(const StoreManifest& manifest, const ReleaseNotes& notes) {
  return fmt::format(
      "# Rebuilt faces\n\n"
      "Every image in this store is the output of a decoder that saw only the unmasked patches of a real image.\n\n"
      "**No formal privacy guarantee; treat as personal data until a qualified person decides otherwise.**\n\n"
      "| | |\n|---|---|\n"
      "| images | {} |\n| identities | {} |\n| image size | {} x {} |\n| mask ratio | {} |\n| model hash | {} |\n"
      "| software version | {} |\n| dataset digest | {} |\n\n"
      "Labels are renumbered and images reordered in a way that only the secret of the release reveals. "
      "Of originals that are equal byte for byte, only one was used. "
      "Names, paths, times and the order of the source are not in the files. {}\n\n"
      "## Licence of the source\n\n{}\n",
      manifest.images, manifest.identities, manifest.image_size, manifest.image_size, notes.mask_ratio,
      notes.model_hash, notes.software_version, manifest.dataset_digest.hex(),
      notes.images_per_identity == 0
          ? "Each identity has as many images as in the source, which may reveal who it is."
          : fmt::format("Every identity has {} images.", notes.images_per_identity),
      notes.source_licence.empty() ? "not stated" : notes.source_licence);
}

void mark_finished(PrivateFolder& folder, const std::string& uuid) {
  auto entries = read_ledger(folder);
  for (LedgerEntry& entry : entries) {
    if (entry.uuid == uuid) entry.finished = true;
  }
  write_ledger(folder, entries);
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
  write_durably(files, out / "RELEASE.md", release_text(manifest, notes));
  write_manifest(files, out, manifest);
  mark_finished(folder, secret.uuid);
}

namespace {

ReleaseLink read_link_file(const Path& path) {
  const auto file = hdf5::Reader::open(path);
  if (!file.has_attribute("format") || file.read_text("format") != kLinkFormat) {
    throw DataError(path.string() + " is an HDF5 file but not the link of a release");
  }
  return {.source_digest = file.read_text("source_digest"),
          .released_digest = file.read_text("released_digest"),
          .source_rows = file.read_array<std::uint64_t>("/source_row")};
}

}  // namespace

ReleaseLink read_link(const Path& private_folder, const std::string& released_digest) {
  const Path path = private_folder / kLinkName;
  if (!std::filesystem::exists(path)) {
    throw DataError("there is no " + path.string() +
                    ": the release was not finished, or this is not its private folder");
  }
  for (const auto& entry : std::filesystem::directory_iterator(private_folder)) {
    const std::string name = entry.path().filename();
    if (released_digest.empty() || !name.starts_with("link") || !name.ends_with(".h5")) continue;
    if (auto link = read_link_file(entry.path()); link.released_digest == released_digest) return link;
  }
  return read_link_file(path);
}

}  // namespace facemae
