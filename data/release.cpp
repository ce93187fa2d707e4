#include "data/release.h"

#include "core/error.h"
#include "core/keys.h"
#include "core/log.h"
#include "core/permutation.h"
#include "data/hdf5.h"
#include "data/manifest.h"
#include "data/release_ledger.h"
#include "data/shard_file.h"

namespace facemae {
namespace {

constexpr const char* kLinkName = "link.h5";
constexpr const char* kLinkFormat = "facemae-link";

struct Range {
  std::size_t begin, end;
};
Range rows_of_shard(const ReleasePlan& plan, std::uint64_t shard) {
  if (shard >= plan.shards()) {
    throw Error(fmt::format("shard {} of a release with {} shards was asked for", shard, plan.shards()));
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

/// Source label of each released label.
std::vector<std::int64_t> label_map(const ReleasePlan& plan, const Store& source) {
  std::vector<std::int64_t> map(static_cast<std::size_t>(plan.identities), -1);
  for (std::size_t i = 0; i < plan.labels.size(); ++i) {
    if (plan.labels[i] >= 0)
      map[static_cast<std::size_t>(plan.labels[i])] = source.label(plan.source_rows[i]);
  }
  return map;
}

void write_link(FileSystem& files, const Path& folder, const ReleaseSecret& secret, const ReleasePlan& plan,
                const Hash128& released_digest, const Store& source) {
  const Path path = folder / kLinkName, temporary = path.string() + ".tmp";
  // The link of an earlier release stays beside.
  if (std::filesystem::exists(path)) {
    std::string uuid = hdf5::Reader::open(path).read_text("uuid");
    if (uuid != secret.uuid) files.rename(path, folder / ("link-" + uuid + ".h5"));
  }
  files.create(temporary)->close();
  auto file = hdf5::File::create(temporary);
  file.write_attribute("format", std::string(kLinkFormat));
  file.write_attribute("version", std::uint64_t{1});
  file.write_attribute("uuid", secret.uuid);
  file.write_attribute("source_digest", secret.source_digest);
  file.write_attribute("released_digest", released_digest.hex());
  file.write_array("/source_row", plan.source_rows);
  file.write_array("/source_label", label_map(plan, source));
  file.flush();
  file.close();
  hdf5::publish(files, temporary, path);
}

std::string release_text(const StoreManifest& manifest, const ReleaseNotes& notes) {
  return fmt::format(
      "# Rebuilt faces\n\n"
      "Every image in this store is the output of a decoder that saw only the unmasked patches of a real "
      "image.\n\n"
      "**No formal privacy guarantee; treat as personal data until a qualified person decides "
      "otherwise.**\n\n"
      "| | |\n|---|---|\n"
      "| images | {} |\n| identities | {} |\n| image size | {} x {} |\n| mask ratio | {} |\n| model hash | "
      "{} |\n"
      "| software version | {} |\n| dataset digest | {} |\n\n"
      "Labels are a secret renumbering, the order is random, and nothing else of the source is in the "
      "files.\n\n"
      "## Licence of the source\n\n{}\n",
      manifest.images, manifest.identities, manifest.image_size, manifest.image_size, notes.mask_ratio,
      notes.model_hash, notes.software_version, manifest.dataset_digest.hex(),
      notes.source_licence.empty() ? "not stated" : notes.source_licence);
}

void mark_finished(FileSystem& files, const Path& folder, const std::string& uuid) {
  auto entries = read_ledger(folder);
  for (LedgerEntry& entry : entries) {
    if (entry.uuid == uuid) entry.finished = true;
  }
  write_ledger(files, folder, entries);
}

}  // namespace

void check_release(const Store& source, std::uint64_t images_per_identity) {
  const std::uint64_t k = images_per_identity;
  bool any = k == 0 && source.size() > 0;
  for (std::int64_t label = 0; !any && label < source.identities(); ++label)
    any = k > 0 && source.rows_of(label).size() >= k;
  if (!any)
    throw ConfigError(
        k == 0 ? fmt::format("planning a release of {}: the store has no images", source.folder().string())
               : fmt::format(
                     "planning a release of {}: no identity has {} images; ask for fewer images per identity",
                     source.folder().string(), k));
}

ReleasePlan plan_release(const Store& source, const ReleaseSecret& secret, std::uint64_t images_per_identity,
                         std::uint64_t shard_images) {
  if (shard_images < 1) throw ConfigError("planning a release: a shard must hold at least one image");
  check_release(source, images_per_identity);
  // Equal counts mean that an identity with fewer images is left out, and so is an image without identity.
  const std::uint64_t k = images_per_identity;
  std::vector<std::uint64_t> rows;
  std::vector<std::int64_t> kept;
  for (std::int64_t label = 0; label < source.identities(); ++label) {
    const auto own = source.rows_of(label);
    if (own.empty() || own.size() < k) continue;
    kept.push_back(label);
    const Permutation place(own.size(),
                            key_of(secret.order_seed, Purpose::Order, 1, static_cast<std::uint64_t>(label)));
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (k == 0 || place(i) < k) rows.push_back(own[i]);
    }
  }
  for (std::uint64_t row = 0; k == 0 && row < source.size(); ++row) {
    if (source.label(row) < 0) rows.push_back(row);
  }
  std::vector<std::int64_t> renumbered(static_cast<std::size_t>(source.identities()), -1);
  if (!kept.empty()) {
    const Permutation number(kept.size(), key_of(secret.label_seed, Purpose::Labels));
    for (std::size_t i = 0; i < kept.size(); ++i) {
      renumbered[static_cast<std::size_t>(kept[i])] = static_cast<std::int64_t>(number(i));
    }
  }
  const Permutation order(rows.size(), key_of(secret.order_seed, Purpose::Order));
  ReleasePlan plan{.source_rows = std::vector<std::uint64_t>(rows.size()),
                   .labels = std::vector<std::int64_t>(rows.size()),
                   .identities = static_cast<std::int64_t>(kept.size()),
                   .shard_images = shard_images};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<std::size_t>(order(i));
    const std::int64_t label = source.label(rows[i]);
    plan.source_rows[at] = rows[i];
    plan.labels[at] = label < 0 ? -1 : renumbered[static_cast<std::size_t>(label)];
  }
  return plan;
}

void write_release_shard(FileSystem& files, const Path& out, const ReleaseSecret& secret,
                         const ReleasePlan& plan, std::uint64_t shard,
                         const std::vector<std::vector<std::byte>>& encoded, int image_size) {
  const Range range = rows_of_shard(plan, shard);
  if (encoded.size() != range.end - range.begin) {
    throw Error(fmt::format("writing shard {} of the release {}: {} images were given, the plan has {}",
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

void finish_release(FileSystem& files, const Path& out, const Path& private_folder,
                    const ReleaseSecret& secret, const ReleasePlan& plan, const ReleaseNotes& notes,
                    const Store& source) {
  StoreManifest manifest;
  manifest.uuid = secret.uuid;
  manifest.identities = plan.identities;
  manifest.released = true;
  manifest.source_licence = notes.source_licence;
  for (std::uint64_t shard = 0; shard < plan.shards(); ++shard) {
    const Path path = out / shard_name(shard);
    const ShardIndex index = read_shard(path);
    if (!fits(index, secret, plan, shard)) {
      throw DataError(path.string() + " is not of this release: remove it and run the same command again");
    }
    manifest.image_size = index.image_size;
    manifest.shards.push_back(index.info);
  }
  complete_manifest(manifest, plan.labels);
  // The manifest makes the store a finished one, so what belongs to it is there before.
  write_link(files, private_folder, secret, plan, manifest.dataset_digest, source);
  write_durably(files, out / "RELEASE.md", release_text(manifest, notes));
  write_manifest(files, out, manifest);
  mark_finished(files, private_folder, secret.uuid);
}

namespace {

ReleaseLink read_link_file(const Path& path) {
  const auto file = hdf5::Reader::open(path);
  if (!file.has_attribute("format") || file.read_text("format") != kLinkFormat) {
    throw DataError(path.string() + " is an HDF5 file but no link of a release");
  }
  return {.source_digest = file.read_text("source_digest"),
          .released_digest = file.read_text("released_digest"),
          .source_rows = file.read_array<std::uint64_t>("/source_row")};
}

}  // namespace

ReleaseLink read_link(const Path& private_folder, const std::string& released_digest) {
  const Path path = private_folder / kLinkName;
  if (!std::filesystem::exists(path)) {
    throw DataError("no " + path.string() +
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
