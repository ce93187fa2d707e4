// Implements read_manifest() of data/store/manifest.h, which takes nothing in a manifest on trust.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "data/hdf5/hdf5_reader.h"
#include "data/store/manifest.h"
#include "data/store/manifest_arrays.h"

namespace facemae {
namespace {

// What a manifest may contain. Manifests that are handed around are read before anybody trusts them.
constexpr std::uint64_t kMostShards = 1 << 22, kMostCompanions = 64;
constexpr std::uint64_t kLongestName = 255, kLongestPath = 4096, kLongestText = 64 << 20;
constexpr std::size_t kLongestUuid = 64;
constexpr int kDeepestSettings = 32;

[[noreturn]] void refuse(const hdf5::Reader& file, const std::string& why) {
  throw DataError(file.path().string() + " " + why +
                  ": it is damaged or was forged; make the store again or copy it from a replica");
}

Hash128 read_digest(const hdf5::Reader& file, const std::string& attribute) {
  const std::string text = file.read_text(attribute);
  if (text.size() != 32) refuse(file, "has no digest as its " + attribute);
  return Hash128::from_hex(text);
}

/// Reads names of files in the store's folder and checks that none leads elsewhere.
std::vector<std::string> read_file_names(const hdf5::Reader& file, const std::string& array,
                                         std::uint64_t most) {
  auto names = file.read_texts(array, {.count = most, .width = kLongestName});
  for (const auto& name : names)
    if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos)
      refuse(file, "has a name in " + array + " that is not that of a file in its folder");
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
      refuse(file, "has shards whose rows are not consecutive");
    rows += images[i];
    shards.push_back({names[i], images[i], first[i], bytes[i], offsets[i], Hash128::from_hex(blob_digests[i]),
                      Hash128::from_hex(index_digests[i])});
  }
  return shards;
}

std::string only_text(const hdf5::Reader& file, const std::string& name) {
  auto texts = file.read_texts(name, {.count = 1, .width = kLongestText});
  if (texts.size() != 1) refuse(file, "has no text in " + name);
  return std::move(texts.front());
}

/// JSON that is written and compared later on, both of which recurse for each level.
std::string read_settings(const hdf5::Reader& file) {
  std::string text = only_text(file, "/pack_settings");
  bool deep = false;
  const auto look = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    deep = deep || depth > kDeepestSettings;
    return !deep;  // what lies deeper is not kept
  };
  const auto json = nlohmann::json::parse(text, look, false);
  if (deep || !json.is_object()) refuse(file, "has settings that no pack writes");
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

/// An identity takes at least eight bytes of identities.h5, which a number in a manifest does not. Most
/// identities have an image; those whose images were all rejected do not.
bool has_room_for(std::uint64_t identities, std::uint64_t images, const Path& folder) {
  if (identities <= images) return true;
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(folder / kIdentitiesName, missing);
  return !missing && identities < bytes / sizeof(std::uint64_t);
}

void read_counts(const hdf5::Reader& file, const Path& folder, StoreManifest& m) {
  m.images = file.read_number("images");
  const std::uint64_t identities = file.read_number("identities"), side = file.read_number("image_size");
  if (m.images > kMostImages) refuse(file, "has more images than there can be");
  if (!has_room_for(identities, m.images, folder)) refuse(file, "has more identities than images");
  if (side < 1 || side > kMostImageSide)
    refuse(file,
           fmt::format("has images of {} pixels per side, but 1 to {} are possible", side, kMostImageSide));
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
  if (images != m.images)
    refuse(file, fmt::format("has {} images, but its shards have {}", m.images, images));
  if (digest_of_shards(m.shards) != m.dataset_digest)
    refuse(file, "has a digest that is not that of its shards");
}

}  // namespace

StoreManifest read_manifest(const Path& folder) {
  const Path path = folder / kManifestName;
  std::error_code unseen;  // a path that is too long, or in a circle of links, leads to nothing
  if (!std::filesystem::exists(path, unseen)) {
    if (unseen == std::errc::permission_denied)
      throw std::filesystem::filesystem_error("opening the store", folder, unseen);
    if (!std::filesystem::is_directory(folder, unseen))
      throw ConfigError("opening the store " + folder.string() + ": there is no such folder");
    const bool begun =
        std::filesystem::exists(folder / "packing") || std::filesystem::exists(folder / "shard-00000.h5");
    throw DataError(
        "opening the store " + folder.string() + ": it has no " + kManifestName +
        (begun
             ? ", so it is unfinished: run the command that makes it again, and it continues where it stopped"
             : ": it is not a store; make one with `facemae pack`"));
  }
  const auto file = hdf5::Reader::open(path);
  if (!file.has_attribute("format") || file.read_text("format") != kManifestFormat)
    throw DataError(path.string() + " is an HDF5 file but not the manifest of a store");
  if (const auto version = file.read_number("version"); version != kManifestVersion)
    throw DataError(fmt::format("{} has format version {}, but this program reads {}: use a newer program",
                                path.string(), version, kManifestVersion));
  StoreManifest m;
  const std::string kind = file.read_text("kind");
  if (kind != "store" && kind != "view") refuse(file, "is neither a store nor a view");
  m.kind = kind == "view" ? StoreManifest::Kind::View : StoreManifest::Kind::Store;
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

}  // namespace facemae
