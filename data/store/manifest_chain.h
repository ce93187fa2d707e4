#pragma once
// A store's manifest and, of a view, those of its parents down to the store that has the shards: the one walk
// that everything takes which follows views. It ends for any stores, also for views of each other.
#include <vector>

#include "data/store/manifest.h"

namespace facemae {

struct ChainLink {
  Path folder;
  StoreManifest manifest;
};

/// More views of views than anybody makes.
inline constexpr std::size_t kMostViews = 64;

/// Where the parent of a view lies: relative to the folder itself, when that was reached by a symbolic link;
/// else as the path says.
Path parent_folder(const ChainLink& view);

/// Appends the manifest of the last one's parent; false when the last one is a store of its own shards.
/// Throws DataError: the parent's manifest is not there or damaged, the parent has been met before, or there
/// are more than kMostViews.
bool follow(std::vector<ChainLink>& chain);

/// All of them, `folder` first. Throws DataError as read_manifest() and follow() do.
std::vector<ChainLink> manifest_chain(const Path& folder);

}  // namespace facemae
