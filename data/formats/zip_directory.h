#pragma once
// Reads the directory at the end of a zip: every name, without reading the images. Works in memory.
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/checksum.h"

namespace facemae {

/// This many bytes at a file's end hold the records that say where the directory is, comment included.
inline constexpr std::uint64_t kZipTailBytes = 22 + 65535 + 20 + 56;

struct ZipEnd {
  std::uint64_t directory_offset = 0, directory_bytes = 0, members = 0;
};
/// `tail`: the last kZipTailBytes of a file, or all of a smaller one. Reads zip and zip64. Throws DataError
/// when there is no end record (not a zip, or truncated) or when it points outside the file.
ZipEnd find_zip_end(Bytes tail, std::uint64_t file_bytes);

struct ZipMember {
  std::string_view path;  ///< as in the archive, unchecked; refers to the directory
  bool encrypted = false;
};
/// Throws DataError when an entry ends beyond `directory`, or when there are not `members` entries.
void parse_zip_directory(Bytes directory, std::uint64_t members, const std::function<void(ZipMember)>& take);

}  // namespace facemae
