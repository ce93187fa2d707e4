#pragma once
// Reads the records of a .rec file: one at a time, or the beginnings of all of them.
#include <cstdint>
#include <vector>

#include "core/files/files.h"
#include "data/formats/recordio.h"

namespace facemae {

/// The payload of the record at `offset`. Lengths are checked against the file before memory is allocated.
/// Throws DataError, FileError.
std::vector<std::byte> read_record(const InputFile& file, std::uint64_t offset);

/// All records from front to back; a record's key is its number. Throws DataError naming the record
/// and its offset.
std::vector<RecordPlace> scan_records(const InputFile& file);

/// What a catalogue needs to know of a record.
struct RecordFront {
  std::vector<float> labels;  ///< the first ones: one or two
  bool has_image = false;
  std::uint64_t bytes = 0;  ///< of its first chunk, padding included
};

/// The beginnings of a file's records in ascending order, read in large pieces, which on cold storage is much
/// faster than one small read per record. One thread.
class RecordWindows {
 public:
  explicit RecordWindows(const InputFile& file) : file_(file), file_bytes_(file.size()) {}
  std::uint64_t file_bytes() const { return file_bytes_; }
  /// Up to `most` bytes at `offset`; fewer only at the end of the file.
  Bytes at(std::uint64_t offset, std::size_t most);
  RecordFront front(std::uint64_t offset);  ///< throws DataError

 private:
  const InputFile& file_;
  std::uint64_t file_bytes_, begin_ = 0;
  std::vector<std::byte> window_;
};

}  // namespace facemae
