#pragma once
// The manifest of a store: which shards make it up, or, in a view, which rows of another store. Written last:
// a folder with manifest.h5 is a finished store. manifest.json is a readable copy without the long arrays.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/array.h"
#include "core/checksum.h"
#include "core/files.h"
#include "data/store.h"

namespace facemae {

/// Long arrays of a manifest that was read lie in the file, shared by all processes of the host.
struct StoreManifest {
  enum class Kind { Store, View };
  Kind kind = Kind::Store;
  std::string uuid;
  int image_size = 0;
  std::uint64_t images = 0;
  std::int64_t identities = 0;  ///< labels are 0..identities-1 or -1
  bool released = false;
  std::string source_licence;
  std::vector<std::string> identity_names;  ///< one per identity, or empty in a release
  Hash128 dataset_digest;

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

inline constexpr const char* kManifestName = "manifest.h5";

/// XXH3-128 over (images, blob digest, index digest) of each shard in order.
Hash128 digest_of_shards(const std::vector<ShardInfo>& shards);

/// Fills in what follows from the rest: images, first_global of the shards, identity_offsets and _rows, and
/// dataset_digest. `labels` has one entry per image in store order (of a view: pass manifest.labels).
/// Throws DataError when their number differs or a label is not in -1..identities-1.
void complete_manifest(StoreManifest& manifest, std::span<const std::int64_t> labels);

/// manifest.json, then manifest.h5 (tmp, fsync, rename, folder fsync). Equal manifests give equal bytes.
void write_manifest(FileSystem& files, const Path& folder, const StoreManifest& manifest);

/// Throws DataError: no manifest (unfinished or not a store), damaged (its digest differs), or a newer
/// version.
StoreManifest read_manifest(const Path& folder);

/// Writes a view of `parent` into `folder` (made when missing): `rows` of the parent with new labels and
/// names.
void write_view(FileSystem& files, const Path& folder, const Store& parent, std::vector<std::uint64_t> rows,
                std::vector<std::int64_t> labels, std::vector<std::string> identity_names);

}  // namespace facemae
