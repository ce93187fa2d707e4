#pragma once
// Reads the manifest of a store and, for a view, those of its parents down to the store with the shards: the
// one walk of everything that follows views. It ends for any stores, also for views of each other.
#include <vector>

#include "data/store/manifest.h"

namespace facemae {

struct ChainLink {
  Path folder;
  StoreManifest manifest;
};

/// More views of views than anybody makes.
inline constexpr std::size_t kMostViews = 64;

/// Where the parent of a view lies: relative to the folder itself if that was reached by a symbolic link;
/// otherwise as the path says.
Path parent_folder(const ChainLink& view);

/// Appends the manifest of the parent of the last one; false when the last one is a store with its own
/// shards. Throws DataError: the parent's manifest is missing or damaged, the parent has been met before, or
/// there are more than kMostViews.
bool follow(std::vector<ChainLink>& chain);

/// All manifests, that of `folder` first. Throws DataError like read_manifest() and follow().
std::vector<ChainLink> manifest_chain(const Path& folder);

}  // namespace facemae
