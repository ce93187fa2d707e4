#pragma once
// Zips made byte by byte, as no writer at hand makes them, for the tests of what reads them.

#include <string>
#include <string_view>
#include <vector>

#include "core/checksum.h"

namespace facemae::test_zips {

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
  return text;
}
/// CRC-32 of zip, not the CRC-32C of core/checksum.h.
inline std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
  }
  return ~crc;
}

constexpr int kEncrypted = 1, kDescriptor = 8, kUtf8 = 0x800;

struct Entry {
  std::string name, content;
  int flags = 0, method = 0;
  std::string extra = "";  ///< in both headers
};
struct Ends {
  std::string comment = "", sector = "";  ///< of zip64: its extensible data sector
  bool zip64 = false;
  std::uint64_t counted_from = 0;  ///< added to all offsets: bytes that precede the zip and are counted
};

inline std::string zip(const std::vector<Entry>& entries, const Ends& ends = {}) {
  std::string file, directory;
  for (const Entry& entry : entries) {
    const bool later = (entry.flags & kDescriptor) != 0;
    const std::string sums =
        number(crc32(entry.content), 4) + number(entry.content.size(), 4) + number(entry.content.size(), 4);
    const std::string head = number(20, 2) + number(static_cast<std::uint64_t>(entry.flags), 2) +
                             number(static_cast<std::uint64_t>(entry.method), 2) + number(0x21 << 16, 4);
    const std::string lengths = number(entry.name.size(), 2) + number(entry.extra.size(), 2);
    directory += "PK\1\2" + number(20, 2) + head + sums + lengths + number(0, 10) +
                 number(ends.counted_from + file.size(), 4) + entry.name + entry.extra;
    file +=
        "PK\3\4" + head + (later ? number(0, 12) : sums) + lengths + entry.name + entry.extra + entry.content;
    if (later) file += "PK\7\b" + sums;
  }
  const std::uint64_t offset = ends.counted_from + file.size(), count = entries.size();
  file += directory;
  if (ends.zip64)
    file += "PK\6\6" + number(44 + ends.sector.size(), 8) + number(45, 2) + number(45, 2) + number(0, 8) +
            number(count, 8) + number(count, 8) + number(directory.size(), 8) + number(offset, 8) +
            ends.sector + "PK\6\7" + number(0, 4) + number(offset + directory.size(), 8) + number(1, 4);
  const std::uint64_t some = ends.zip64 ? 0xffff : count;
  return file + "PK\5\6" + number(0, 4) + number(some, 2) + number(some, 2) +
         number(ends.zip64 ? 0xffffffff : directory.size(), 4) + number(ends.zip64 ? 0xffffffff : offset, 4) +
         number(ends.comment.size(), 2) + ends.comment;
}

/// Info-ZIP's field with the name in UTF-8.
inline std::string unicode_path(std::string_view name, std::string_view utf8) {
  return number(0x7075, 2) + number(5 + utf8.size(), 2) + number(1, 1) + number(crc32(name), 4) +
         std::string(utf8);
}

}  // namespace facemae::test_zips
