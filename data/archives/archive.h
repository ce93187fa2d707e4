#pragma once
// Reads zip and tar archives from front to back; nothing is unpacked to disk.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/files/patience.h"

namespace facemae {

enum class ArchiveKind { Zip, Tar };  ///< tar: plain, or compressed by gzip, bzip2, xz, zstd or lz4

struct Member {
  std::string path;  ///< the bytes of the archive, whatever the locale; unchecked
  bool folder = false;
  std::string reject;  ///< why it has no bytes (a link, a device), "" for a plain file
  std::string refuse;  ///< why nobody can read it as the archive is ("encrypted: ..."), "" when one can
};

/// One pass over an archive, by one thread. Reads that fail are retried for a while; FileError when they keep
/// failing.
class ArchiveReader {
 public:
  virtual ~ArchiveReader() = default;
  /// Goes to the next member, in a zip by its directory alone; false at the end. Throws DataError: damaged,
  /// truncated, or followed by what is no archive.
  virtual bool next(Member& member) = 0;
  /// Reads the bytes of the current member into `bytes`; returns what is wrong with them, "" if nothing is: a
  /// wrong checksum, more than kMostMemberBytes. Throws DataError when the rest cannot be read either.
  virtual std::string read(std::vector<std::byte>& bytes) = 0;

  /// A larger member is not a face. Memory is allocated as bytes arrive, whatever the archive claims.
  static constexpr std::uint64_t kMostMemberBytes = 64ULL << 20;
};

/// Throws FileError when the file cannot be read, DataError when it is not such an archive or is cut off.
/// Tars that follow one another in a file are read as one.
std::unique_ptr<ArchiveReader> open_archive(const Path& path, ArchiveKind kind,
                                            InputFiles& inputs = real_inputs(),
                                            const ReadPolicy& patience = {});

const char* name_of(ArchiveKind kind);  ///< "zip", "tar"

}  // namespace facemae
