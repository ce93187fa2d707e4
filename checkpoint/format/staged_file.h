#pragma once
// Holds a rank's part of a step, copied aside and ready for its file, writes it and reads it back from the
// storage. Free of LibTorch: this is what the background thread works on.
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "checkpoint/format/manifest.h"
#include "core/files/files.h"

namespace facemae {

/// A run of whole leaves of one tensor.
struct StagedPiece {
  std::string tensor, dtype;      ///< by its safetensors name, "F32"
  ByteRange range;                ///< of the tensor's bytes
  std::vector<ByteRange> leaves;  ///< they tile `range`
  std::uint64_t at = 0;           ///< where it begins in StagedFile::data
};

/// What the file will be: the header, then `data`, in which the pieces lie in order and without gaps.
struct StagedFile {
  std::string name, header;
  Bytes data;
  std::vector<StagedPiece> pieces;
};

/// Writes it into `folder` and syncs it, hashing the memory on the way. Without pieces no file is written,
/// and the report's file has no name. Throws FileError.
RankReport write_staged(FileSystem& files, const Path& folder, const StagedFile& staged);

/// Reads the file again, past the page cache, and compares every hash of the report that write_staged()
/// returned: what the storage holds, not what was sent to it. Returns early with false when `stop` is
/// requested. Throws CheckpointError.
bool scrub(const Path& folder, const StagedFile& staged, const RankReport& report,
           const std::stop_token& stop);

}  // namespace facemae
