#include "data/store/shard_images.h"

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::uint64_t kRereadPiece = 8 << 20;

/// Images [first, last) of a shard, which lie together in the file.
struct Piece {
  std::uint64_t first, last;
  std::uint64_t begin, end;  ///< in the blob
};

/// From `first` on, as many whole images as fit into a piece, at least one.
Piece piece_at(const ShardIndex& index, std::uint64_t first) {
  Piece piece{
      .first = first, .last = first + 1, .begin = index.offsets[first], .end = index.offsets[first + 1]};
  while (piece.last < index.info.images && index.offsets[piece.last + 1] - piece.begin <= kRereadPiece)
    piece.end = index.offsets[++piece.last];
  return piece;
}

/// Returns "" and fills in the bytes, or returns why there are none.
std::string read_around_cache(const ShardIndex& index, const ReadableFile& file, const Piece& piece,
                              bool bear_unreadable, std::vector<std::byte>& bytes) {
  const std::uint64_t at = index.info.blob_offset + piece.begin;
  bytes.resize(piece.end - piece.begin);
  try {
    file.forget(at, bytes.size());
    file.read_at(at, bytes);
  } catch (const FileError& error) {
    if (!bear_unreadable) throw;
    return error.what();
  }
  return "";
}

}  // namespace

Hash128 reread_images(const ShardIndex& index, const ReadableFile& file, bool bear_unreadable,
                      const SeeImage& see) {
  Hasher all;
  std::vector<std::byte> bytes;
  const auto look_at = [&](const Piece& piece) {
    for (std::uint64_t i = piece.first; i < piece.last; ++i) {
      const std::uint64_t begin = index.offsets[i], end = index.offsets[i + 1];
      if (begin < piece.begin || end < begin ||
          end > piece.end) {  // the index is in a file, which can change
        see(i, "its index entry has changed since the shard was opened");
        continue;
      }
      const Bytes image = Bytes(bytes).subspan(begin - piece.begin, end - begin);
      const std::uint32_t found = crc32c(image), expected = index.crcs[i];
      see(i, found == expected
                 ? ""
                 : fmt::format("CRC-32C is {:08x}, but the index says {:08x}", found, expected));
    }
    all.add(bytes);
  };
  for (std::uint64_t first = 0; first < index.info.images;) {
    const Piece piece = piece_at(index, first);
    first = piece.last;
    if (piece.end - piece.begin > kMostImageBytes) {
      see(piece.first, fmt::format("it has {} bytes, more than an image of a face", piece.end - piece.begin));
      continue;
    }
    if (read_around_cache(index, file, piece, bear_unreadable, bytes).empty()) {
      look_at(piece);
      continue;
    }
    for (std::uint64_t i = piece.first; i < piece.last; ++i) {  // one by one, because some can be read
      const Piece single{.first = i, .last = i + 1, .begin = index.offsets[i], .end = index.offsets[i + 1]};
      const std::string fault = read_around_cache(index, file, single, bear_unreadable, bytes);
      fault.empty() ? look_at(single) : see(i, fault);
    }
  }
  return all.digest();
}

}  // namespace facemae
