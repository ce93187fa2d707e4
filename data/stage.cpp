#include "data/stage.h"

#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "data/hdf5.h"
#include "data/seal.h"
#include "data/shard_file.h"

namespace facemae {
namespace {

constexpr std::uint64_t kPiece = 8 << 20;

bool is_finished_copy(const Path& path, const Seal& seal) {
  if (!std::filesystem::exists(path)) return false;
  try {
    return read_seal(InputFile(path)) == seal;
  } catch (const DataError&) {
    return false;  // damaged: it is copied again
  }
}

/// The digest of the blob, or nothing when stopped.
std::optional<Hash128> copy_sealed(FileSystem& files, const InputFile& from, const Seal& seal, const Path& to,
                                   const std::stop_token& stop) {
  const std::uint64_t end = seal.file_bytes - kSealBytes;
  SealHasher hasher(seal.blob);
  auto out = files.create(to);
  std::vector<std::byte> piece;
  for (std::uint64_t at = 0; at < seal.file_bytes; at += piece.size()) {
    if (stop.stop_requested()) return std::nullopt;
    piece.resize(std::min(kPiece, seal.file_bytes - at));
    from.read_at(at, piece);
    const std::uint64_t sealed = at < end ? std::min<std::uint64_t>(piece.size(), end - at) : 0;
    hasher.add(at, Bytes(piece).first(sealed));
    out->write(piece);
  }
  out->sync();
  out->close();
  if (hasher.rest() != seal.digest)
    throw DataError("copying " + from.path().string() + ": it is damaged outside its images (its digest is " +
                    hasher.rest().hex() + ", its seal says " + seal.digest.hex() + ")");
  return hasher.blob();
}

}  // namespace

StageResult stage_shard(FileSystem& files, const Path& from_folder, const ShardInfo& info,
                        const Path& to_folder, const std::stop_token& stop) {
  const InputFile from(from_folder / info.file);
  const Seal seal = read_seal(from);
  const Path final = to_folder / info.file, temporary = final.string() + ".tmp";
  if (is_finished_copy(final, seal)) return {.bytes = seal.file_bytes, .copied = false};
  try {
    const auto blob = copy_sealed(files, from, seal, temporary, stop);
    if (!blob) {
      files.remove(temporary);
      return {};
    }
    const auto index_digest = read_shard(temporary).info.index_digest;
    if (*blob != info.blob_digest || index_digest != info.index_digest)
      throw DataError(
          fmt::format("copying {}: it has images with digest {} and an index with digest {}, the manifest "
                      "says {} and {}: "
                      "it is damaged or the shard of another store",
                      from.path().string(), blob->hex(), index_digest.hex(), info.blob_digest.hex(),
                      info.index_digest.hex()));
    files.rename(temporary, final);
    files.sync_folder(to_folder);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
  return {.bytes = seal.file_bytes, .copied = true};
}

}  // namespace facemae
