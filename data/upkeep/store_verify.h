#pragma once
// Re-reads a whole store, names everything that is wrong with it, and restores it from another copy.
#include <cstdint>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/progress.h"
#include "data/store/store.h"

namespace facemae {

/// A file that is missing, damaged outside its images, or not the one that the manifest describes.
struct BadFile {
  Path folder;  ///< the store, or the parent store of a view
  std::string file, reason;
};
struct BadImage {
  std::string shard;
  std::uint64_t row = 0, index = 0;  ///< within the store that has the shards; within the shard
  std::string reason;
};
struct VerifyReport {
  std::vector<BadFile> files;
  std::vector<BadImage> images;
  std::vector<Path> strays;  ///< files that belong to no store: not a fault, but perhaps left by one
  bool good() const noexcept { return files.empty() && images.empty(); }
};

/// Reads the shards i with i % parts == part completely; part 0 also the manifest and the files beside it.
/// For a view: its own files and its parent store. Throws DataError when there is no store, ConfigError for
/// an impossible part. Everything is read around the page cache, images through `inputs`.
VerifyReport verify_store(const Path& folder, int part = 0, int parts = 1, bool show_progress = false,
                          InputFiles& inputs = real_inputs());

/// Checks one shard: its seal, its index against the manifest, and every image.
void verify_shard(const Path& folder, const ShardInfo& info, Progress& progress, VerifyReport& report,
                  InputFiles& inputs = real_inputs());

/// Restores an unreadable manifest, and what lies beside it, from `other`, a copy of the same store. Returns
/// false when the manifest was good. Throws DataError when manifest.json does not say that it is a copy.
bool repair_manifest(FileSystem& files, const Path& folder, const Path& other);

/// Restores what `report` names, from the same files of `other` (tmp, fsync, rename), and verifies it again.
struct RepairResult {
  std::vector<std::string> restored;
  VerifyReport still;  ///< what could not be restored, with the reason
};
RepairResult repair_store(FileSystem& files, const Path& folder, const Path& other,
                          const VerifyReport& report);

}  // namespace facemae
