#include "data/manifest.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/temporary_file.h"
#include "data/hdf5.h"
#include "data/manifest_arrays.h"
#include "data/seal.h"

namespace facemae {
namespace {

constexpr const char* kFormat = "facemae-manifest";

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

Hash128 digest_of_view(const StoreManifest& manifest) {
  Hasher hasher;
  add_digest(hasher, manifest.parent_digest);
  add_array(hasher, manifest.rows);
  add_array(hasher, manifest.labels);
  return hasher.digest();
}

std::string readable(const StoreManifest& m) {
  nlohmann::ordered_json json;
  json["format"] = kFormat;
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

std::vector<ShardInfo> read_shards(const hdf5::File& file) {
  const auto names = file.read_texts("/shards/file");
  const auto images = file.read_array<std::uint64_t>("/shards/images");
  const auto first = file.read_array<std::uint64_t>("/shards/first_global");
  const auto bytes = file.read_array<std::uint64_t>("/shards/bytes");
  const auto offsets = file.read_array<std::uint64_t>("/shards/blob_offset");
  const auto blob_digests = file.read_texts("/shards/blob_digest");
  const auto index_digests = file.read_texts("/shards/index_digest");
  for (const std::size_t n :
       {images.size(), first.size(), bytes.size(), offsets.size(), blob_digests.size(), index_digests.size()})
    if (n != names.size())
      throw DataError(file.path().string() + ": the arrays in /shards differ in length: it is damaged");
  std::vector<ShardInfo> shards;
  for (std::size_t i = 0; i < names.size(); ++i)
    shards.push_back({names[i], images[i], first[i], bytes[i], offsets[i], Hash128::from_hex(blob_digests[i]),
                      Hash128::from_hex(index_digests[i])});
  return shards;
}

/// What else belongs to a store. Those of them that lie in the folder now.
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

std::string only_text(const hdf5::File& file, const std::string& name) {
  const auto texts = file.read_texts(name);
  if (texts.size() != 1)
    throw DataError(
        fmt::format("{} of {} has {} texts, expected one", name, file.path().string(), texts.size()));
  return texts.front();
}

std::vector<Companion> read_companions(const hdf5::File& file) {
  const auto names = file.read_texts("/files/name");
  const auto bytes = file.read_array<std::uint64_t>("/files/bytes");
  const auto digests = file.read_texts("/files/digest");
  if (bytes.size() != names.size() || digests.size() != names.size())
    throw DataError(file.path().string() + ": the arrays in /files differ in length: it is damaged");
  std::vector<Companion> companions;
  for (std::size_t i = 0; i < names.size(); ++i)
    companions.push_back({names[i], bytes[i], Hash128::from_hex(digests[i])});
  return companions;
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
  file.write_attribute("format", std::string(kFormat));
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

StoreManifest read_manifest(const Path& folder) {
  const Path path = folder / kManifestName;
  if (!std::filesystem::exists(path)) {
    if (!std::filesystem::is_directory(folder))
      throw DataError("opening the store " + folder.string() + ": there is no such folder");
    const bool begun =
        std::filesystem::exists(folder / "packing") || std::filesystem::exists(folder / "shard-00000.h5");
    throw DataError(
        "opening the store " + folder.string() + ": it has no " + kManifestName +
        (begun ? ", so it is unfinished: run the command that makes it again, it goes on where it was"
               : ": it is not a store; make one with `facemae pack`"));
  }
  auto file = hdf5::File::open(path);
  if (!file.has_attribute("format") || file.read_text("format") != kFormat)
    throw DataError(path.string() + " is an HDF5 file but no manifest of a store");
  if (const auto version = file.read_number("version"); version != kManifestVersion)
    throw DataError(fmt::format("{} has format version {}, this program reads {}: use a newer program",
                                path.string(), version, kManifestVersion));
  StoreManifest m;
  m.kind = file.read_text("kind") == "view" ? StoreManifest::Kind::View : StoreManifest::Kind::Store;
  m.uuid = file.read_text("uuid");
  m.images = file.read_number("images");
  m.identities = static_cast<std::int64_t>(file.read_number("identities"));
  m.image_size = static_cast<int>(file.read_number("image_size"));
  m.released = file.read_number("released") != 0;
  m.source_licence = only_text(file, "/source_licence");
  m.dataset_digest = Hash128::from_hex(file.read_text("dataset_digest"));
  if (file.has_attribute("ingest_seed")) m.ingest_seed = file.read_number("ingest_seed");
  if (file.has("/pack_settings")) {
    m.pack_settings = only_text(file, "/pack_settings");
    m.rejects = file.read_number("rejects");
    m.duplicates = file.read_number("duplicates");
  }
  if (m.kind == StoreManifest::Kind::View) {
    m.parent = file.read_text("parent");
    m.parent_digest = Hash128::from_hex(file.read_text("parent_digest"));
    if (m.parent.empty() || (folder / m.parent / "").lexically_normal() == (folder / "").lexically_normal())
      throw DataError(path.string() + " is a view of itself: make the view again");
  } else {
    m.shards = read_shards(file);
  }
  m.companions = read_companions(file);
  return m;
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
