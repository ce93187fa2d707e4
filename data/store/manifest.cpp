#include "data/store/manifest.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "data/hdf5/hdf5.h"
#include "data/hdf5/seal.h"
#include "data/store/manifest_arrays.h"

namespace facemae {
namespace {

const char* name_of(StoreManifest::Kind kind) {
  return kind == StoreManifest::Kind::Store ? "store" : "view";
}

template <class T>
void add_array(Hasher& hasher, const Array<T>& values) {
  hasher.add_value(static_cast<std::uint64_t>(values.size()));
  hasher.add(values.bytes());
}
void add_digest(Hasher& hasher, const Hash128& digest) {
  hasher.add_value(digest.high);
  hasher.add_value(digest.low);
}

void group_by_identity(StoreManifest& manifest, std::span<const std::int64_t> labels) {
  std::vector<std::uint64_t> next(static_cast<std::size_t>(manifest.identities) + 1, 0);
  for (const std::int64_t label : labels) {
    if (label < -1 || label >= manifest.identities)
      throw DataError(
          fmt::format("making a manifest: label {} is not within -1..{}", label, manifest.identities - 1));
    if (label >= 0) ++next[static_cast<std::size_t>(label) + 1];
  }
  for (std::size_t k = 1; k < next.size(); ++k) next[k] += next[k - 1];
  manifest.identity_offsets = next;
  std::vector<std::uint64_t> rows(next.back());
  for (std::size_t row = 0; row < labels.size(); ++row)
    if (labels[row] >= 0) rows[next[static_cast<std::size_t>(labels[row])]++] = row;
  manifest.identity_rows = std::move(rows);
}

std::string readable(const StoreManifest& m) {
  nlohmann::ordered_json json;
  json["format"] = kManifestFormat;
  json["version"] = kManifestVersion;
  json["kind"] = name_of(m.kind);
  json["uuid"] = m.uuid;
  json["images"] = m.images;
  json["identities"] = m.identities;
  json["image_size"] = m.image_size;
  json["released"] = m.released;
  json["source_licence"] = m.source_licence;
  json["dataset_digest"] = m.dataset_digest.hex();
  if (m.ingest_seed) json["ingest_seed"] = *m.ingest_seed;
  if (!m.pack_settings.empty()) {
    json["pack_settings"] = nlohmann::ordered_json::parse(m.pack_settings);
    json["rejects"] = m.rejects;
    json["duplicates"] = m.duplicates;
  }
  if (m.kind == StoreManifest::Kind::View) {
    json["parent"] = m.parent;
    json["parent_digest"] = m.parent_digest.hex();
  }
  for (const auto& shard : m.shards)
    json["shards"].push_back({{"file", shard.file},
                              {"images", shard.images},
                              {"first_global", shard.first_global},
                              {"bytes", shard.bytes},
                              {"blob_offset", shard.blob_offset},
                              {"blob_digest", shard.blob_digest.hex()},
                              {"index_digest", shard.index_digest.hex()}});
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

template <class Value, class Row, class Of>
auto column(const std::vector<Row>& rows, Of of) {
  std::vector<Value> values;
  values.reserve(rows.size());
  for (const auto& row : rows) values.push_back(of(row));
  return values;
}

void write_shards(hdf5::File& file, const std::vector<ShardInfo>& shards) {
  file.make_group("/shards");
  file.write_texts("/shards/file", column<std::string>(shards, [](auto& s) { return s.file; }));
  file.write_array("/shards/images", column<std::uint64_t>(shards, [](auto& s) { return s.images; }));
  file.write_array("/shards/first_global",
                   column<std::uint64_t>(shards, [](auto& s) { return s.first_global; }));
  file.write_array("/shards/bytes", column<std::uint64_t>(shards, [](auto& s) { return s.bytes; }));
  file.write_array("/shards/blob_offset",
                   column<std::uint64_t>(shards, [](auto& s) { return s.blob_offset; }));
  file.write_texts("/shards/blob_digest",
                   column<std::string>(shards, [](auto& s) { return s.blob_digest.hex(); }));
  file.write_texts("/shards/index_digest",
                   column<std::string>(shards, [](auto& s) { return s.index_digest.hex(); }));
}

/// The other files that belong to a store, as far as they exist in the folder now.
std::vector<Companion> companions_in(const Path& folder) {
  std::vector<Companion> found;
  for (const char* name :
       {kReadableName, kIdentitiesName, kViewName, "rejects.csv", "duplicates.csv", "RELEASE.md"}) {
    if (!std::filesystem::exists(folder / name)) continue;
    const InputFile file(folder / name);
    found.push_back({name, file.size(), digest_of_file(file)});
  }
  return found;
}

void write_companions(hdf5::File& file, const std::vector<Companion>& companions) {
  file.make_group("/files");
  file.write_texts("/files/name", column<std::string>(companions, [](auto& c) { return c.file; }));
  file.write_array("/files/bytes", column<std::uint64_t>(companions, [](auto& c) { return c.bytes; }));
  file.write_texts("/files/digest", column<std::string>(companions, [](auto& c) { return c.digest.hex(); }));
}

}  // namespace

Hash128 digest_of_shards(const std::vector<ShardInfo>& shards) {
  Hasher hasher;
  for (const auto& shard : shards) {
    hasher.add_value(shard.images);
    add_digest(hasher, shard.blob_digest);
    add_digest(hasher, shard.index_digest);
  }
  return hasher.digest();
}

Hash128 digest_of_view(const StoreManifest& manifest) {
  Hasher hasher;
  add_digest(hasher, manifest.parent_digest);
  add_array(hasher, manifest.rows);
  add_array(hasher, manifest.labels);
  return hasher.digest();
}

void complete_manifest(StoreManifest& manifest, std::span<const std::int64_t> labels) {
  manifest.images = 0;
  for (auto& shard : manifest.shards) {
    shard.first_global = manifest.images;
    manifest.images += shard.images;
  }
  const bool view = manifest.kind == StoreManifest::Kind::View;
  if (view) manifest.images = manifest.rows.size();
  if (labels.size() != manifest.images)
    throw DataError(
        fmt::format("making a manifest: {} labels for {} images", labels.size(), manifest.images));
  group_by_identity(manifest, labels);
  manifest.dataset_digest = view ? digest_of_view(manifest) : digest_of_shards(manifest.shards);
}

void write_manifest(FileSystem& files, const Path& folder, const StoreManifest& m) {
  write_manifest_arrays(files, folder, m);
  write_manifest_head(files, folder, m);
}

void write_manifest_head(FileSystem& files, const Path& folder, const StoreManifest& m) {
  write_durably(files, folder / kReadableName, readable(m));
  const Path final = folder / kManifestName;
  const TemporaryFile temporary(files, final);
  files.create(temporary.path())->close();
  auto file = hdf5::File::create(temporary.path());
  file.write_attribute("format", std::string(kManifestFormat));
  file.write_attribute("version", kManifestVersion);
  file.write_attribute("kind", std::string(name_of(m.kind)));
  file.write_attribute("uuid", m.uuid);
  file.write_attribute("images", m.images);
  file.write_attribute("identities", static_cast<std::uint64_t>(m.identities));
  file.write_attribute("image_size", static_cast<std::uint64_t>(m.image_size));
  file.write_attribute("released", std::uint64_t{m.released});
  file.write_attribute("dataset_digest", m.dataset_digest.hex());
  if (m.ingest_seed) file.write_attribute("ingest_seed", *m.ingest_seed);
  if (!m.pack_settings.empty()) {
    file.write_attribute("rejects", m.rejects);
    file.write_attribute("duplicates", m.duplicates);
  }
  if (m.kind == StoreManifest::Kind::View) {
    file.write_attribute("parent", m.parent);
    file.write_attribute("parent_digest", m.parent_digest.hex());
  } else {
    write_shards(file, m.shards);
  }
  // Not attributes, which end at 64 KiB.
  file.write_texts("/source_licence", {m.source_licence});
  if (!m.pack_settings.empty()) file.write_texts("/pack_settings", {m.pack_settings});
  write_companions(file, companions_in(folder));
  file.close();
  hdf5::publish(files, temporary.path(), final);
}

void write_view(FileSystem& files, const Path& folder, const Store& parent, std::vector<std::uint64_t> rows,
                std::vector<std::int64_t> labels, std::int64_t identities,
                std::vector<std::string> identity_names) {
  StoreManifest view;
  view.kind = StoreManifest::Kind::View;
  view.image_size = parent.image_size();
  view.identities = identities;
  view.released = parent.released();
  view.source_licence = parent.source_licence();
  view.identity_names = std::move(identity_names);
  view.parent_digest = parent.dataset_digest();
  for (const std::uint64_t row : rows)
    if (row >= parent.size())
      throw Error(fmt::format("making a view of {}: it has no row {}", parent.folder().string(), row));
  view.rows = std::move(rows);
  view.labels = std::move(labels);
  view.parent =
      std::filesystem::relative(parent.folder(), std::filesystem::absolute(folder)).generic_string();
  complete_manifest(view, view.labels);
  view.uuid = view.dataset_digest.hex();
  if (std::filesystem::exists(folder / kManifestName)) {
    const StoreManifest there = read_manifest(folder);
    if (there.dataset_digest == view.dataset_digest && there.parent == view.parent) return;
    throw ConfigError("making a view of " + parent.folder().string() + " in " + folder.string() +
                      ": another store is there; remove it or choose another --out");
  }
  make_folders(files, folder);
  write_manifest(files, folder, view);
}

}  // namespace facemae
