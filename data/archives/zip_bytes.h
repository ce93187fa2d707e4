#pragma once
// What libzip reads a zip from: our file, from the byte on at which the zip begins.
#include <zip.h>

#include <cstdint>
#include <vector>

#include "data/archives/archive_file.h"

namespace facemae {

/// Must outlive the zip_t that reads from it.
class ZipBytes {
 public:
  explicit ZipBytes(ArchiveFile& file);
  ~ZipBytes();
  ZipBytes(const ZipBytes&) = delete;
  ZipBytes& operator=(const ZipBytes&) = delete;

  /// The zip that begins `before` bytes into the file; null with `error` set when there is none.
  zip_t* open(std::uint64_t before, zip_error_t& error);

 private:
  static zip_int64_t serve(void* self, void* data, zip_uint64_t bytes, zip_source_cmd_t command);
  zip_int64_t read(std::span<std::byte> out) noexcept;
  bool fetch(std::uint64_t from) noexcept;

  ArchiveFile& file_;
  std::uint64_t before_ = 0, size_ = 0, at_ = 0;  ///< bytes before the zip; its length; a place in it
  std::vector<std::byte> block_;                  ///< bytes of the file from block_at_ on
  std::uint64_t block_at_ = 0;
  zip_error_t error_;
};

}  // namespace facemae
