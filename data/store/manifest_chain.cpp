#include "data/store/manifest_chain.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

namespace fs = std::filesystem;

Path parent_folder(const ChainLink& view) {
  std::error_code unseen;
  const Path beside = (view.folder / view.manifest.parent).lexically_normal();
  const Path real = (fs::canonical(view.folder, unseen) / view.manifest.parent).lexically_normal();
  const bool there = !unseen && fs::exists(real / kManifestName, unseen);
  return there && !fs::equivalent(real, beside, unseen) ? real : beside;
}

bool follow(std::vector<ChainLink>& chain) {
  const ChainLink& view = chain.back();
  if (view.manifest.kind == StoreManifest::Kind::Store) return false;
  const Path parent = parent_folder(view);
  const auto refuse = [&](const std::string& why) {
    throw DataError("opening the view " + view.folder.string() + " of another store: " + why);
  };
  const bool met = std::any_of(chain.begin(), chain.end(), [&](const ChainLink& link) {
    std::error_code unseen;
    return fs::equivalent(link.folder, parent, unseen);
  });
  if (met) refuse("its parent " + parent.string() + " is a view of it in turn: make the views again");
  if (chain.size() > kMostViews)
    refuse(fmt::format("there are more than {} views of views; run `facemae store compact`", kMostViews));
  try {
    StoreManifest manifest = read_manifest(parent);
    chain.push_back({parent, std::move(manifest)});
  } catch (const ConfigError& error) {  // the user named the view, not the store that it lacks
    refuse(error.what());
  } catch (const DataError& error) {
    refuse(error.what());
  }
  return true;
}

std::vector<ChainLink> manifest_chain(const Path& folder) {
  std::vector<ChainLink> chain;
  chain.push_back({folder, read_manifest(folder)});
  while (follow(chain)) {
  }
  return chain;
}

}  // namespace facemae
