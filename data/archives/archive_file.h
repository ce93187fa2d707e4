#pragma once
// The bytes of an archive for the libraries that parse it: a library that opens the file by itself calls failing
// storage a damaged archive.
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>

#include "core/files/files.h"
#include "core/files/patience.h"

namespace facemae {

class ArchiveFile {
 public:
  /// Throws FileError when there is no such plain file.
  ArchiveFile(const Path& path, InputFiles& inputs, const ReadPolicy& patience);
  const Path& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// Fills `out`, with patience. Throws FileError.
  void read_at(std::uint64_t offset, std::span<std::byte> out);
  /// The same for callbacks, through which no exception may pass: false when it failed.
  bool try_read_at(std::uint64_t offset, std::span<std::byte> out) noexcept;
  /// Throws what really went wrong when try_read_at() has failed.
  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  Path path_;
  InputFiles& inputs_;
  ReadPolicy patience_;
  std::uint64_t size_;
  std::unique_ptr<ReadableFile> file_;
  std::exception_ptr failure_;
};

}  // namespace facemae
