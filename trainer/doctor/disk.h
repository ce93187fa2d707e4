#pragma once
// How fast the file system of a run is. One rank of each node works, all nodes at the same time; figures are rank 0's.
#include <string>
#include <vector>

#include "cluster/doctor/measured.h"
#include "cluster/world/world.h"
#include "core/files/files.h"

namespace facemae {

/// Of each node: a file of 256 MiB, or of what there is time for, written and fsynced, then read back past the page cache
/// (`seconds` for both); and 100 files created, renamed and removed (as long again at most). Files have no name, or one in
/// a folder of their own that is removed. All ranks. Throws AgreedError where `folder` cannot be written.
std::vector<Measured> measure_disk(World& world, const Path& folder, double seconds);

/// A folder of its own in `parent`, with a name that says that it is temporary; removed at the end, with all that is in it.
class TemporaryTree {
 public:
  explicit TemporaryTree(const Path& parent);
  ~TemporaryTree();
  TemporaryTree(const TemporaryTree&) = delete;
  TemporaryTree& operator=(const TemporaryTree&) = delete;
  const Path& path() const noexcept { return path_; }

 private:
  Path path_;
};

}  // namespace facemae
