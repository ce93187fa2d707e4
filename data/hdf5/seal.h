#pragma once
// Defines the seal: the last 64 bytes of each HDF5 file of a store. It fixes every byte of the file except
// the images (which have digests of their own) and is checked before anything else is read. It shows damage,
// not forgery: anybody can compute it. HDF5 tools ignore what follows the end that a superblock names.
#include <cstdint>

#include "core/checksum.h"
#include "core/files/files.h"

namespace facemae {

/// Bytes [offset, offset + bytes) of a file.
struct FileRange {
  std::uint64_t offset = 0, bytes = 0;
};

struct Seal {
  std::uint64_t file_bytes = 0;  ///< of the whole file, with the seal
  FileRange blob;                ///< what the digest leaves out; 0, 0 if nothing
  Hash128 digest;                ///< XXH3-128 of all bytes before the seal that are not in `blob`
  bool operator==(const Seal& other) const {
    return file_bytes == other.file_bytes && blob.offset == other.blob.offset &&
           blob.bytes == other.blob.bytes && digest == other.digest;
  }
};
inline constexpr std::size_t kSealBytes = 64;

/// Whether opening a file hashes all bytes that its seal fixes. Unhashed: another process of this host has
/// just done it, so only the seal itself and the layout are looked at.
enum class SealCheck { Hashed, Unhashed };

/// Divides a file's bytes, given from first to last, between two digests.
class SealHasher {
 public:
  explicit SealHasher(FileRange blob) : blob_range_(blob) {}
  void add(std::uint64_t offset, Bytes piece);
  Hash128 rest() const { return rest_.digest(); }
  Hash128 blob() const { return blob_.digest(); }

 private:
  FileRange blob_range_;
  Hasher rest_, blob_;
};

/// XXH3-128 of a whole file, with or without a seal.
Hash128 digest_of_file(const InputFile& file);

/// Appends the seal to a finished file. Throws FileError.
Seal append_seal(FileSystem& files, const Path& path, FileRange blob);

/// Reads the seal alone, checked against itself and the file's size. Throws DataError naming the file: no
/// seal, damaged, truncated, or with bytes appended.
Seal read_seal(const InputFile& file);

/// Does read_seal() and checks every byte that it fixes; reads all but the blob. DataError names the file.
Seal check_seal(const InputFile& file);

}  // namespace facemae
