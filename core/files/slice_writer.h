#pragma once
// Writes one slice of a file that several processes write, each its own.
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// Move-only; not for several threads.
class SliceWriter {
 public:
  /// Opens a file that exists, to write it from `offset` on. Throws FileError.
  SliceWriter(const Path& path, std::uint64_t offset);
  ~SliceWriter();
  SliceWriter(const SliceWriter&) = delete;
  SliceWriter& operator=(const SliceWriter&) = delete;
  /// Appends to the slice, in pieces of some MiB. Throws FileError: a full disk.
  void write(Bytes bytes);
  /// The slice is on the disk when this returns. Without it the slice is incomplete. Throws FileError.
  void finish();

 private:
  void drain();
  Path path_;
  int descriptor_ = -1;
  std::uint64_t offset_;
  std::vector<std::byte> waiting_;
};

}  // namespace facemae
