#pragma once
// Finds where a zip begins in its file: libzip expects it at the file's beginning. Works in memory.
#include <cstdint>

#include "core/checksum.h"

namespace facemae {

/// This many bytes at a zip's end hold the records that say where its directory is, comment included.
inline constexpr std::uint64_t kZipTailBytes = 22 + 65535 + 20 + 56;

/// Does `tail`, the last kZipTailBytes of something or all of it, end as a zip does?
bool ends_as_zip(Bytes tail);
/// Is it the end of a zip that was split into several files? False where it does not end as a zip.
bool is_part_of_split_zip(Bytes tail);
/// How many bytes lie before the zip in its file: the program of a self-extracting archive, for instance. 0 when
/// there are none, when the zip counts them itself, and when there is no zip.
std::uint64_t bytes_before_zip(Bytes tail, std::uint64_t file_bytes);

}  // namespace facemae
