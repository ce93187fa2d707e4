#include "data/store/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "data/hdf5/hdf5.h"
#include "data/hdf5/seal.h"
#include "data/store/manifest_arrays.h"

namespace facemae {
namespace {

constexpr const char* kManifestFormat = "facemae-manifest";

// What a manifest may ask for. Those handed around are read before anybody trusts them.
constexpr std::uint64_t kMostShards = 1 << 22, kMostCompanions = 64;
constexpr std::uint64_t kLongestName = 255, kLongestPath = 4096, kLongestText = 64 << 20;
constexpr std::size_t kLongestUuid = 64;
constexpr int kDeepestSettings = 32;

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

[[noreturn]] void refuse(const hdf5::Reader& file, const std::string& why) {
  throw DataError(file.path().string() + " " + why +
                  ": it is damaged or was forged; make the store again or copy it from a replica");
}

Hash128 read_digest(const hdf5::Reader& file, const std::string& attribute) {
  const std::string text = file.read_text(attribute);
  if (text.size() != 32) refuse(file, "has no digest as its " + attribute);
  return Hash128::from_hex(text);
}

/// Names of files in the store's folder: none leads elsewhere.
std::vector<std::string> read_file_names(const hdf5::Reader& file, const std::string& array,
                                         std::uint64_t most) {
  auto names = file.read_texts(array, {.count = most, .width = kLongestName});
  for (const auto& name : names)
    if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos)
      refuse(file, "has a name in " + array + " that is none of a file in its folder");
  auto sorted = names;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    refuse(file, "has a name in " + array + " twice");
  return names;
}

std::vector<ShardInfo> read_shards(const hdf5::Reader& file) {
  const hdf5::Most numbers{.count = kMostShards}, digests{.count = kMostShards, .width = 32};
  const auto names = read_file_names(file, "/shards/file", kMostShards);
  const auto images = file.read_array<std::uint64_t>("/shards/images", numbers);
  const auto first = file.read_array<std::uint64_t>("/shards/first_global", numbers);
  const auto bytes = file.read_array<std::uint64_t>("/shards/bytes", numbers);
  const auto offsets = file.read_array<std::uint64_t>("/shards/blob_offset", numbers);
  const auto blob_digests = file.read_texts("/shards/blob_digest", digests);
  const auto index_digests = file.read_texts("/shards/index_digest", digests);
  for (const std::size_t n :
       {images.size(), first.size(), bytes.size(), offsets.size(), blob_digests.size(), index_digests.size()})
    if (n != names.size()) refuse(file, "has arrays of different lengths in /shards");
  std::vector<ShardInfo> shards;
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (first[i] != rows || images[i] > kMostImages - rows)
      refuse(file, "has shards whose rows do not follow on");
    rows += images[i];
    shards.push_back({names[i], images[i], first[i], bytes[i], offsets[i], Hash128::from_hex(blob_digests[i]),
                      Hash128::from_hex(index_digests[i])});
  }
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

std::string only_text(const hdf5::Reader& file, const std::string& name) {
  auto texts = file.read_texts(name, {.count = 1, .width = kLongestText});
  if (texts.size() != 1) refuse(file, "has no text in " + name);
  return std::move(texts.front());
}

/// JSON that is written and compared later on, both of which call themselves for each level.
std::string read_settings(const hdf5::Reader& file) {
  std::string text = only_text(file, "/pack_settings");
  bool deep = false;
  const auto look = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    deep = deep || depth > kDeepestSettings;
    return !deep;  // what lies deeper is not kept
  };
  const auto json = nlohmann::json::parse(text, look, false);
  if (deep || !json.is_object()) refuse(file, "has settings that no pack has");
  return text;
}

std::vector<Companion> read_companions(const hdf5::Reader& file) {
  const auto names = read_file_names(file, "/files/name", kMostCompanions);
  const auto bytes = file.read_array<std::uint64_t>("/files/bytes", {.count = kMostCompanions});
  const auto digests = file.read_texts("/files/digest", {.count = kMostCompanions, .width = 32});
  if (bytes.size() != names.size() || digests.size() != names.size())
    refuse(file, "has arrays of different lengths in /files");
  std::vector<Companion> companions;
  for (std::size_t i = 0; i < names.size(); ++i)
    companions.push_back({names[i], bytes[i], Hash128::from_hex(digests[i])});
  return companions;
}

/// An identity takes eight bytes of identities.h5 at least, which a number in a manifest does not. Most have
/// an image; those whose images were all rejected do not.
bool has_room_for(std::uint64_t identities, std::uint64_t images, const Path& folder) {
  if (identities <= images) return true;
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(folder / kIdentitiesName, missing);
  return !missing && identities < bytes / sizeof(std::uint64_t);
}

void read_counts(const hdf5::Reader& file, const Path& folder, StoreManifest& m) {
  m.images = file.read_number("images");
  const std::uint64_t identities = file.read_number("identities"), side = file.read_number("image_size");
  if (m.images > kMostImages) refuse(file, "has more images than there are");
  if (!has_room_for(identities, m.images, folder)) refuse(file, "has more identities than images");
  if (side < 1 || side > kMostImageSide)
    refuse(file, fmt::format("has images of {} pixels a side, 1 to {} are possible", side, kMostImageSide));
  m.identities = static_cast<std::int64_t>(identities);
  m.image_size = static_cast<int>(side);
}

void read_view_of(const hdf5::Reader& file, const Path& folder, StoreManifest& m) {
  m.parent = file.read_text("parent");
  m.parent_digest = read_digest(file, "parent_digest");
  if (m.parent.empty() || m.parent.size() > kLongestPath) refuse(file, "is a view that names no parent");
  if ((folder / m.parent / "").lexically_normal() == (folder / "").lexically_normal())
    throw DataError(file.path().string() + " is a view of itself: make the view again");
}

void read_parts(const hdf5::Reader& file, StoreManifest& m) {
  m.shards = read_shards(file);
  std::uint64_t images = 0;
  for (const auto& shard : m.shards) images += shard.images;
  if (images != m.images) refuse(file, fmt::format("has {} images, its shards have {}", m.images, images));
  if (digest_of_shards(m.shards) != m.dataset_digest) refuse(file, "has another digest than its shards");
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

StoreManifest read_manifest(const Path& folder) {
  const Path path = folder / kManifestName;
  std::error_code unseen;  // a path too long, or in a circle of links, leads to nothing
  if (!std::filesystem::exists(path, unseen)) {
    if (unseen == std::errc::permission_denied)
      throw std::filesystem::filesystem_error("opening the store", folder, unseen);
    if (!std::filesystem::is_directory(folder, unseen))
      throw ConfigError("opening the store " + folder.string() + ": there is no such folder");
    const bool begun =
        std::filesystem::exists(folder / "packing") || std::filesystem::exists(folder / "shard-00000.h5");
    throw DataError(
        "opening the store " + folder.string() + ": it has no " + kManifestName +
        (begun ? ", so it is unfinished: run the command that makes it again, it goes on where it was"
               : ": it is not a store; make one with `facemae pack`"));
  }
  const auto file = hdf5::Reader::open(path);
  if (!file.has_attribute("format") || file.read_text("format") != kManifestFormat)
    throw DataError(path.string() + " is an HDF5 file but no manifest of a store");
  if (const auto version = file.read_number("version"); version != kManifestVersion)
    throw DataError(fmt::format("{} has format version {}, this program reads {}: use a newer program",
                                path.string(), version, kManifestVersion));
  StoreManifest m;
  const std::string kind = file.read_text("kind");
  m.kind = kind == "view" ? StoreManifest::Kind::View : StoreManifest::Kind::Store;
  if (kind != name_of(m.kind)) refuse(file, "is neither a store nor a view");
  m.uuid = file.read_text("uuid");
  if (m.uuid.size() > kLongestUuid) refuse(file, "has no uuid");
  read_counts(file, folder, m);
  m.released = file.read_number("released") != 0;
  m.source_licence = only_text(file, "/source_licence");
  m.dataset_digest = read_digest(file, "dataset_digest");
  if (file.has_attribute("ingest_seed")) m.ingest_seed = file.read_number("ingest_seed");
  if (file.has("/pack_settings")) {
    m.pack_settings = read_settings(file);
    m.rejects = file.read_number("rejects");
    m.duplicates = file.read_number("duplicates");
  }
  if (m.kind == StoreManifest::Kind::View)
    read_view_of(file, folder, m);
  else
    read_parts(file, m);
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
