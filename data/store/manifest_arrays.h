#pragma once
// Keeps the long arrays of a manifest in separate files, because training needs neither names nor the rows of
// identities: identities.h5 and, for a view, view.h5.
#include <cstdint>
#include <span>
#include <string>

#include "core/files/array.h"
#include "data/store/manifest.h"

namespace facemae {

inline constexpr const char* kIdentitiesName = "identities.h5";
inline constexpr const char* kViewName = "view.h5";

/// Who is in a store, and in which rows. Arrays that were read stay in the file: O(1) memory.
class Identities {
 public:
  /// Throws DataError: missing, damaged, or of another store than `manifest`.
  static Identities read(const Path& folder, const StoreManifest& manifest);
  std::string name(std::int64_t label) const;                        ///< "" in a released store
  std::span<const std::uint64_t> rows_of(std::int64_t label) const;  ///< ascending

 private:
  std::int64_t count_ = 0;
  Array<std::uint64_t> offsets_, rows_, name_offsets_;
  Array<std::uint8_t> names_;
};

/// Writes identities.h5, and view.h5 for a view: tmp, fsync, rename.
void write_manifest_arrays(FileSystem& files, const Path& folder, const StoreManifest& manifest);

/// Fills in `rows` and `labels` of a view, one of each per image. Throws DataError: missing, damaged, or
/// of another view.
void read_view(const Path& folder, StoreManifest& view, SealCheck check = SealCheck::Hashed);

}  // namespace facemae
