#pragma once
// Reads the bytes of one shard, whatever the storage does: retries, reads around the page cache, and turns
// to a replica.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/error.h"
#include "core/files/files.h"
#include "core/files/patience.h"

namespace facemae {

/// What reading cost and what it met.
struct ReadFigures {
  double read_seconds = 0, crc_seconds = 0;
  std::uint64_t rereads = 0;  ///< images whose CRC-32C differed at first
  std::uint64_t retries = 0;  ///< retries after a short read or an I/O error
  std::uint64_t slow = 0;     ///< reads that took longer than ReadPolicy::slow_after
  void add(const ReadFigures& other);
};

/// A shard could not be read in spite of all retries.
class ShardUnreadable : public FileError {
 public:
  ShardUnreadable(std::size_t shard, const FileError& cause)
      : FileError(cause.what(), cause.code(), cause.where()), shard_(shard) {}
  std::size_t shard() const noexcept { return shard_; }

 private:
  std::size_t shard_;
};

/// One image's place in a shard, and what it must be.
struct StoredImage {
  std::uint64_t index = 0, row = 0;     ///< within the shard; within the store
  std::uint64_t offset = 0, bytes = 0;  ///< in the file
  std::uint32_t crc32c = 0;
};

/// Safe from many threads.
class ShardReader {
 public:
  /// Opens the file; throws FileError.
  ShardReader(std::size_t shard, const Path& file, InputFiles& files, const ReadPolicy& policy);
  /// Adds another copy of the same file, preferred from now on; the earlier ones stay for when it
  /// fails. Throws FileError.
  void add_replica(const Path& file);
  /// Reads bytes as they are on the storage, from the first copy that can be read, which is preferred from
  /// then on. Short reads and I/O errors are retried, on every copy, with growing pauses and files opened
  /// anew; after that ShardUnreadable is thrown, and thrown at once from then on until there is a new copy.
  void read(std::uint64_t offset, std::span<std::byte> out, ReadFigures& figures) const;
  /// Reads the image and checks its CRC-32C. If it is wrong, reads once more around the page cache, then from
  /// the other copies. Throws DataError naming shard, index, row and file; ShardUnreadable.
  void read(const StoredImage& image, std::span<std::byte> out, ReadFigures& figures) const;

 private:
  struct Copy {
    Path path;
    std::shared_ptr<const ReadableFile> file;  ///< null if it could not be opened at the last attempt
  };
  using Copies = std::shared_ptr<const std::vector<Copy>>;
  Copies copies() const;
  void read_any(std::uint64_t offset, std::span<std::byte> out) const;
  void prefer(const Copies& known, std::size_t copy) const;
  void open_again() const;
  bool recover(const StoredImage& image, std::span<std::byte> out, ReadFigures& figures) const;

  std::size_t shard_;
  InputFiles& files_;
  ReadPolicy policy_;
  mutable std::mutex mutex_;                         ///< guards what follows, only for moments
  mutable Copies copies_;                            ///< the preferred one first; replaced, never changed
  mutable std::shared_ptr<const FileError> failed_;  ///< why reads are no longer attempted
};

}  // namespace facemae
