#pragma once
// Zip and tar archives, read front to back by libarchive; nothing is unpacked to disk.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "data/store/shard_reader.h"

namespace facemae {

enum class ArchiveKind { Zip, Tar };  ///< tar: plain, or compressed by gzip, bzip2, xz, zstd or lz4

struct Member {
  std::string path;  ///< as in the archive, unchecked
  bool folder = false;
  std::string reject;  ///< why its bytes cannot be had (a link, a device), "" for a plain file
};

/// One pass over an archive, by one thread.
class ArchiveReader {
 public:
  /// Throws FileError when the file cannot be read, DataError when it is no such archive or is cut off.
  /// Storage that fails for a moment is waited for, here and below; FileError when it does so for longer.
  ArchiveReader(const Path& path, ArchiveKind kind, InputFiles& inputs = real_inputs(),
                const ReadPolicy& patience = {});
  ~ArchiveReader();
  ArchiveReader(ArchiveReader&&) noexcept;

  /// Goes to the next member; false at the end. Throws DataError: damaged, truncated, encrypted.
  bool next(Member& member);
  /// The bytes of the present member into `bytes`; returns why they are no good, "" when they are: a checksum
  /// that differs, more than kMostMemberBytes. Throws DataError when the archive cannot be read on.
  std::string read(std::vector<std::byte>& bytes);

  /// A larger member is no image of a face. Memory is taken as bytes come, whatever the archive says.
  static constexpr std::uint64_t kMostMemberBytes = 64ULL << 20;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The archives that `given` names, each a file, or a folder of which all archives below are taken, sorted by
/// path. Throws ConfigError for what does not exist and for a folder without any.
std::vector<Path> find_archives(const std::vector<Path>& given, ArchiveKind kind);

}  // namespace facemae
