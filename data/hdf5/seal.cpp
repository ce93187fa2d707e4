#include "data/hdf5/seal.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr char kMagic[] = "FMSEALED";
constexpr std::uint32_t kSealVersion = 1;
constexpr std::uint64_t kPiece = 8 << 20;
constexpr std::size_t kCrcAt = 60;

using SealBytes = std::array<std::byte, kSealBytes>;

template <class T>
void put(SealBytes& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}
template <class T>
T take(const SealBytes& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}
std::uint32_t crc_of(const SealBytes& bytes) { return crc32c(std::span(bytes).first(kCrcAt)); }

SealBytes encode(const Seal& seal) {
  SealBytes bytes{};
  std::memcpy(bytes.data(), kMagic, 8);
  put(bytes, 8, kSealVersion);
  put(bytes, 16, seal.file_bytes);
  put(bytes, 24, seal.blob.offset);
  put(bytes, 32, seal.blob.bytes);
  put(bytes, 40, seal.digest.low);
  put(bytes, 48, seal.digest.high);
  put(bytes, kCrcAt, crc_of(bytes));
  return bytes;
}

/// Of the first `end` bytes of the file, except those of the blob.
Hash128 digest_of(const InputFile& file, std::uint64_t end, FileRange blob) {
  Hasher hasher;
  std::vector<std::byte> piece;
  const auto add = [&](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t at = from; at < to; at += piece.size()) {
      piece.resize(std::min(kPiece, to - at));
      file.read_at(at, piece);
      hasher.add(piece);
    }
  };
  add(0, blob.bytes > 0 ? blob.offset : 0);
  add(blob.offset + blob.bytes, end);
  return hasher.digest();
}

}  // namespace

void SealHasher::add(std::uint64_t offset, Bytes piece) {
  const auto place = [&](std::uint64_t at) {
    return static_cast<std::size_t>(std::clamp(at, offset, offset + piece.size()) - offset);
  };
  const std::size_t begin = place(blob_range_.offset), end = place(blob_range_.offset + blob_range_.bytes);
  rest_.add(piece.first(begin));
  blob_.add(piece.subspan(begin, end - begin));
  rest_.add(piece.subspan(end));
}

Hash128 digest_of_file(const InputFile& file) { return digest_of(file, file.size(), {}); }

Seal append_seal(FileSystem& files, const Path& path, FileRange blob) {
  Seal seal{.blob = blob};
  {
    const InputFile file(path);
    seal.file_bytes = file.size() + kSealBytes;
    seal.digest = digest_of(file, file.size(), blob);
  }
  auto out = files.open_append(path);
  out->write(encode(seal));
  out->close();
  return seal;
}

Seal read_seal(const InputFile& file) {
  const auto refuse = [&](const std::string& what) {
    throw DataError(file.path().string() + " " + what + "; copy it from a replica or make it again");
  };
  const std::uint64_t size = file.size();
  if (size <= kSealBytes) refuse(fmt::format("has {} bytes: it is truncated", size));
  SealBytes bytes;
  file.read_at(size - kSealBytes, bytes);
  const bool magic = std::memcmp(bytes.data(), kMagic, 8) == 0;
  const bool sound = take<std::uint32_t>(bytes, kCrcAt) == crc_of(bytes);
  if (!magic && !sound)
    refuse(
        "has no seal at its end: it is truncated, has something appended, was changed by another program, or is not a file of a store");
  if (!magic || !sound) refuse("is damaged in its seal, the last 64 bytes (their CRC-32C differs)");
  if (const auto version = take<std::uint32_t>(bytes, 8); version != kSealVersion)
    throw DataError(fmt::format("{} has seal version {}, but this program reads {}: use a newer program",
                                file.path().string(), version, kSealVersion));
  Seal seal{.file_bytes = take<std::uint64_t>(bytes, 16),
            .blob = {take<std::uint64_t>(bytes, 24), take<std::uint64_t>(bytes, 32)},
            .digest = {.high = take<std::uint64_t>(bytes, 48), .low = take<std::uint64_t>(bytes, 40)}};
  if (seal.file_bytes != size)
    refuse(fmt::format("has {} bytes, but its seal says {}: it is truncated or has extra bytes", size,
                       seal.file_bytes));
  const std::uint64_t end = size - kSealBytes;
  if (seal.blob.offset > end || seal.blob.bytes > end - seal.blob.offset)
    refuse("has a seal that places the images beyond the end of the file");
  return seal;
}

Seal check_seal(const InputFile& file) {
  const Seal seal = read_seal(file);
  const Hash128 found = digest_of(file, seal.file_bytes - kSealBytes, seal.blob);
  if (found != seal.digest)
    throw DataError(
        fmt::format("{} is damaged outside its images: the digest of its bytes is {}, but its seal says {}; "
                    "copy it from a replica or make it again",
                    file.path().string(), found.hex(), seal.digest.hex()));
  return seal;
}

}  // namespace facemae
