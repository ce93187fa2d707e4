#include "data/store/checked_copy.h"

#include <functional>

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "data/hdf5/seal.h"
#include "data/store/shard_file.h"

namespace facemae {
namespace {

constexpr std::uint64_t kPiece = 8 << 20;

/// Passes every piece to `look`, writes it to a temporary beside TO, asks `check` at the end, and renames.
/// False if stopped.
bool copy_looking(FileSystem& files, const InputFile& from, const Path& to,
                  const std::function<void(std::uint64_t, Bytes)>& look,
                  const std::function<void(const Path&)>& check, const std::stop_token& stop = {}) {
  TemporaryFile temporary(files, to);
  auto out = files.create(temporary.path());
  const std::uint64_t size = from.size();
  std::vector<std::byte> piece;
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    if (stop.stop_requested()) return false;
    piece.resize(std::min(kPiece, size - at));
    from.read_at(at, piece);
    look(at, piece);
    out->write(piece);
  }
  out->sync();
  out->close();
  check(temporary.path());
  temporary.publish();
  return true;
}

/// Opening a pipe in a file's place would wait for a writer.
InputFile open_plain(const Path& path) {
  std::error_code unseen;
  const auto status = std::filesystem::status(path, unseen);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw DataError("copying " + path.string() + ": it is not a plain file");
  return InputFile(path);
}

/// Divides pieces of a sealed file between the digests of its seal.
class SealedPieces {
 public:
  explicit SealedPieces(const InputFile& file) : file_(file), seal_(read_seal(file)), hasher_(seal_.blob) {}
  const Seal& seal() const { return seal_; }
  void add(std::uint64_t at, Bytes piece) {
    const std::uint64_t end = seal_.file_bytes - kSealBytes;
    hasher_.add(at, piece.first(at < end ? std::min<std::uint64_t>(piece.size(), end - at) : 0));
  }
  /// Throws unless everything that the seal fixes is right; returns the digest of the images.
  Hash128 check() const {
    if (hasher_.rest() != seal_.digest)
      throw DataError("copying " + file_.path().string() +
                      ": it is damaged outside its images (its digest is " + hasher_.rest().hex() +
                      ", but its seal says " + seal_.digest.hex() + ")");
    return hasher_.blob();
  }

 private:
  const InputFile& file_;
  Seal seal_;
  SealHasher hasher_;
};

}  // namespace

namespace {

/// Reads every byte, as it is on the storage.
void read_all(const InputFile& file, SealedPieces& pieces) {
  const std::uint64_t size = file.size();
  std::vector<std::byte> piece;
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    piece.resize(std::min(kPiece, size - at));
    file.forget(at, piece.size());
    file.read_at(at, piece);
    pieces.add(at, piece);
  }
}

void expect_same(const Path& path, const ShardInfo& info, const Hash128& blob, const Hash128& index) {
  if (blob != info.blob_digest || index != info.index_digest)
    throw DataError(fmt::format(
        "copying {}: it has images with digest {} and an index with digest {}, but the manifest says {} and {}: it is damaged or a shard of another store",
        path.string(), blob.hex(), index.hex(), info.blob_digest.hex(), info.index_digest.hex()));
}

}  // namespace

void check_shard(const Path& folder, const ShardInfo& info) {
  const InputFile file(folder / info.file);
  SealedPieces pieces(file);
  read_all(file, pieces);
  expect_same(file.path(), info, pieces.check(), read_shard(file.path()).info.index_digest);
}

void check_sealed_file(const Path& path) {
  const InputFile file(path);
  SealedPieces pieces(file);
  read_all(file, pieces);
  pieces.check();
}

std::uint64_t copy_shard(FileSystem& files, const Path& from_folder, const ShardInfo& info,
                         const Path& to_folder, const std::stop_token& stop) {
  const InputFile from = open_plain(from_folder / info.file);
  SealedPieces pieces(from);
  const auto look = [&](std::uint64_t at, Bytes piece) { pieces.add(at, piece); };
  const auto check = [&](const Path& copy) {
    expect_same(from.path(), info, pieces.check(), read_shard(copy).info.index_digest);
  };
  return copy_looking(files, from, to_folder / info.file, look, check, stop) ? pieces.seal().file_bytes : 0;
}

std::uint64_t copy_sealed_file(FileSystem& files, const Path& from_path, const Path& to) {
  const InputFile from = open_plain(from_path);
  SealedPieces pieces(from);
  copy_looking(
      files, from, to, [&](std::uint64_t at, Bytes piece) { pieces.add(at, piece); },
      [&](const Path&) { pieces.check(); });
  return pieces.seal().file_bytes;
}

std::uint64_t copy_companion(FileSystem& files, const Path& from_folder, const Companion& companion,
                             const Path& to_folder) {
  const InputFile from = open_plain(from_folder / companion.file);
  Hasher hasher;
  copy_looking(
      files, from, to_folder / companion.file, [&](std::uint64_t, Bytes piece) { hasher.add(piece); },
      [&](const Path&) {
        if (hasher.digest() != companion.digest)
          throw DataError("copying " + from.path().string() + ": its digest is " + hasher.digest().hex() +
                          ", but the manifest says " + companion.digest.hex() +
                          ": it is damaged or was changed by hand");
      });
  return companion.bytes;
}

}  // namespace facemae
