#pragma once
// Reads and writes the manifest of a store: which shards make it up, or, for a view, which rows of another
// store. It is written last: a folder with manifest.h5 is a finished store. Its long arrays are in separate
// files (data/store/manifest_arrays.h); manifest.json is a readable copy of the rest.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "core/files/array.h"
#include "core/files/files.h"
#include "data/store/store.h"

namespace facemae {

/// A file of the store beside its shards, identified by its content.
struct Companion {
  std::string file;
  std::uint64_t bytes = 0;
  Hash128 digest = {};  ///< XXH3-128 of the whole file
};

/// Long arrays that were read stay in their files, shared by all processes of the host.
struct StoreManifest {
  enum class Kind { Store, View };
  Kind kind = Kind::Store;
  std::string uuid;
  int image_size = 0;
  std::uint64_t images = 0;
  std::int64_t identities = 0;  ///< labels are 0..identities-1 or -1
  bool released = false;
  std::string source_licence;
  Hash128 dataset_digest;
  std::vector<Companion> companions;  ///< filled in by write_manifest and read_manifest

  // For writing; what was written is read by Identities.
  std::vector<std::string> identity_names;  ///< one per identity, or empty in a release
  /// Rows of identity k, ascending: identity_rows[identity_offsets[k] .. identity_offsets[k+1]).
  Array<std::uint64_t> identity_offsets, identity_rows;

  // A store of its own shards.
  std::vector<ShardInfo> shards;
  std::optional<std::uint64_t> ingest_seed;  ///< absent in a release
  std::string pack_settings;                 ///< JSON text of `pack`, empty in a release
  std::uint64_t rejects = 0, duplicates = 0;

  // A view of another store.
  std::string parent;          ///< path of the parent store relative to the view's folder
  Hash128 parent_digest;       ///< its dataset_digest
  Array<std::uint64_t> rows;   ///< of the parent, in the view's order
  Array<std::int64_t> labels;  ///< one per row
};

inline constexpr int kMostImageSide = 4096;                           ///< pixels
inline constexpr std::uint64_t kMostImages = std::uint64_t{1} << 48;  ///< of a store: far more than there are

inline constexpr const char* kManifestFormat = "facemae-manifest";
inline constexpr const char* kManifestName = "manifest.h5";
inline constexpr std::uint64_t kManifestVersion = 1;
inline constexpr const char* kReadableName = "manifest.json";

/// XXH3-128 over (images, blob digest, index digest) of each shard in order.
Hash128 digest_of_shards(const std::vector<ShardInfo>& shards);

/// XXH3-128 over the parent's digest, the rows and the labels of a view.
Hash128 digest_of_view(const StoreManifest& view);

/// Fills in what follows from the rest: images, first_global of the shards, identity_offsets and _rows, and
/// dataset_digest. `labels` has one entry per image in store order (for a view: pass manifest.labels). Throws
/// DataError when their number differs or a label is not in -1..identities-1.
void complete_manifest(StoreManifest& manifest, std::span<const std::int64_t> labels);

/// Writes manifest.json and the long arrays, then manifest.h5 (tmp, fsync, rename, folder fsync), with the
/// digests of the files beside it: these, and rejects.csv, duplicates.csv and RELEASE.md if they exist
/// already. Equal manifests give equal bytes.
void write_manifest(FileSystem& files, const Path& folder, const StoreManifest& manifest);

/// The same for a copy of a store, whose long arrays exist already.
void write_manifest_head(FileSystem& files, const Path& folder, const StoreManifest& manifest);

/// Reads all but the long arrays. Whatever lies there, the result can be worked with: counts that agree with
/// one another and with the files, names of files in the folder. Throws DataError: no manifest (unfinished or
/// not a store), damaged, forged, or a newer version.
StoreManifest read_manifest(const Path& folder);

/// Writes a view of `parent` into `folder` (created if missing): `rows` of the parent with labels of its own,
/// -1..identities-1, and names, none if the parent has none. If the same view exists there, it is left alone.
/// Throws ConfigError when another store is there.
void write_view(FileSystem& files, const Path& folder, const Store& parent, std::vector<std::uint64_t> rows,
                std::vector<std::int64_t> labels, std::int64_t identities,
                std::vector<std::string> identity_names);

}  // namespace facemae
