#pragma once
// Reads zip and tar archives from front to back with libarchive; nothing is unpacked to disk.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/files/patience.h"

namespace facemae {

enum class ArchiveKind { Zip, Tar };  ///< tar: plain, or compressed by gzip, bzip2, xz, zstd or lz4

struct Member {
  std::string path;  ///< as in the archive, unchecked
  bool folder = false;
  std::string reject;  ///< why its bytes cannot be read (a link, a device), "" for a plain file
};

/// One pass over an archive, by one thread.
class ArchiveReader {
 public:
  /// Throws FileError when the file cannot be read, DataError when it is not such an archive or is cut off.
  /// Here and below, reads that fail are retried for a while; FileError when they keep failing.
  ArchiveReader(const Path& path, ArchiveKind kind, InputFiles& inputs = real_inputs(),
                const ReadPolicy& patience = {});
  ~ArchiveReader();
  ArchiveReader(ArchiveReader&&) noexcept;

  /// Goes to the next member; false at the end. Throws DataError: damaged, truncated or encrypted.
  bool next(Member& member);
  /// Reads the bytes of the current member into `bytes`; returns what is wrong with them, "" if nothing is: a
  /// wrong checksum, more than kMostMemberBytes. Throws DataError when the rest cannot be read either.
  std::string read(std::vector<std::byte>& bytes);

  /// A larger member is not a face. Memory is allocated as bytes arrive, whatever the archive claims.
  static constexpr std::uint64_t kMostMemberBytes = 64ULL << 20;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The archives that `given` names: files, or folders of which all archives below are taken, sorted by path.
/// Throws ConfigError for a path that does not exist and for a folder without archives.
std::vector<Path> find_archives(const std::vector<Path>& given, ArchiveKind kind);

}  // namespace facemae
