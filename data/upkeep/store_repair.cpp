#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "data/store/checked_copy.h"
#include "data/store/manifest.h"
#include "data/upkeep/store_verify.h"

namespace facemae {
namespace {

/// Reads manifest.json, the only witness of what a store with an unreadable manifest was.
nlohmann::json readable_manifest(const Path& folder) {
  const Path path = folder / "manifest.json";
  try {
    return nlohmann::json::parse(read_plain_file(path));
  } catch (const std::exception& error) {
    throw DataError("repairing " + folder.string() + ": " + kManifestName +
                    " is unreadable and so is manifest.json (" + error.what() +
                    "), so nothing says which store this is; copy the whole store from a replica");
  }
}

bool is_good(const Path& folder) {
  try {
    read_manifest(folder);
    return true;
  } catch (const DataError&) {
    return false;
  }
}

const Companion* find(const std::vector<Companion>& companions, const std::string& file) {
  const auto at = std::find_if(companions.begin(), companions.end(), [&](auto& c) { return c.file == file; });
  return at == companions.end() ? nullptr : &*at;
}

}  // namespace

bool repair_manifest(FileSystem& files, const Path& folder, const Path& other) {
  if (is_good(folder)) return false;
  const auto json = readable_manifest(folder);
  const StoreManifest theirs = read_manifest(other);
  const std::string digest = json.value("dataset_digest", ""), parent = json.value("parent", "");
  if (digest != theirs.dataset_digest.hex())
    throw DataError("repairing " + folder.string() + " from " + other.string() +
                    ": they are different stores (digest " + digest + " and " + theirs.dataset_digest.hex() +
                    ")");
  if (parent != theirs.parent)
    throw DataError("repairing " + folder.string() + " from " + other.string() +
                    ": these views name their parent by different paths; make the view again");
  for (const auto& companion : theirs.companions) copy_companion(files, other, companion, folder);
  copy_sealed_file(files, other / kManifestName, folder / kManifestName);
  return true;
}

RepairResult repair_store(FileSystem& files, const Path& folder, const Path& other,
                          const VerifyReport& report) {
  const StoreManifest ours = read_manifest(folder), theirs = read_manifest(other);
  if (ours.dataset_digest != theirs.dataset_digest)
    throw DataError("repairing " + folder.string() + " from " + other.string() +
                    ": they are different stores (digest " + ours.dataset_digest.hex() + " and " +
                    theirs.dataset_digest.hex() + ")");
  RepairResult result;
  std::set<std::string> bad;
  for (const auto& file : report.files) {
    if (file.folder == folder) {
      bad.insert(file.file);
    } else {
      result.still.files.push_back(
          {file.folder, file.file,
           file.reason + "; it is a file of the parent store: repair " + file.folder.string() + " itself"});
    }
  }
  if (ours.kind == StoreManifest::Kind::View) {
    result.still.images = report.images;
  } else {
    for (const auto& image : report.images) bad.insert(image.shard);
  }
  for (const auto& name : bad) {
    try {
      const auto shard = std::find_if(ours.shards.begin(), ours.shards.end(),
                                      [&](auto& candidate) { return candidate.file == name; });
      if (shard != ours.shards.end()) {
        copy_shard(files, other, *shard, folder);
        Progress silent("", shard->images, "", false);
        verify_shard(folder, *shard, silent, result.still);
      } else {
        const Companion* mine = find(ours.companions, name);
        if (mine == nullptr) throw DataError("nothing of this name can be copied");
        copy_companion(files, other, *mine, folder);
      }
      result.restored.push_back(name);
    } catch (const Error& error) {
      result.still.files.push_back({folder, name, std::string("could not be restored: ") + error.what()});
    }
  }
  return result;
}

}  // namespace facemae
