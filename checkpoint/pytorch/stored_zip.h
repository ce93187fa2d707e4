#pragma once
// Writes a zip archive of members that are stored as they are, as PyTorch does: their bytes begin at multiples of 64, so
// that they can be mapped.
#include <cstdint>
#include <string>
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// Appends to a file that is empty. The same members give the same bytes: there are no times in it. Members and archives
/// beyond 4 GiB have the records of Zip64 (APPNOTE 6.3.10, 4.3.14 and 4.5.3).
class StoredZip {
 public:
  explicit StoredZip(OutputFile& out) : out_(out) {}
  void add(const std::string& name, Bytes bytes);
  void finish();  ///< writes the directory

 private:
  struct Entry {
    std::string name;
    std::uint64_t offset, bytes;
    std::uint32_t crc;
  };
  void write(Bytes bytes);

  OutputFile& out_;
  std::uint64_t at_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace facemae
