#pragma once
// Holds what does not fit into memory, in a file without a name: it is gone when the process is, however that ends.
#include "core/files/files.h"

namespace facemae {

class ScratchFile {
 public:
  explicit ScratchFile(const Path& folder);  ///< empty, on the disk of `folder`; throws FileError
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  /// For this process alone: FileSystem::create() empties it, map_file() maps it, which outlives this object.
  const Path& path() const noexcept { return path_; }

 private:
  int descriptor_;
  Path path_;
};

}  // namespace facemae
