#include "checkpoint/reader.h"

#include "checkpoint/layout.h"
#include "core/error.h"

namespace facemae {

const InputFile& CheckpointReader::open(std::uint32_t file) {
  auto at = open_.find(file);
  if (at == open_.end()) at = open_.emplace(file, InputFile(folder_ / manifest_.files.at(file).name)).first;
  return at->second;
}

void CheckpointReader::check_header(std::uint32_t file) {
  const ManifestFile& expected = manifest_.files.at(file);
  try {
    std::string header(expected.header_bytes, '\0');
    open(file).forget(0, expected.header_bytes);
    open(file).read_at(0, std::as_writable_bytes(std::span(header)));
    if (xxh128(bytes_of(header)) != expected.header_hash)
      throw CheckpointError("the header of " + expected.name + " is not what was written");
  } catch (const FileError& error) {
    throw CheckpointError(error.what());
  }
}

void CheckpointReader::read(const ManifestTensor& tensor, ByteRange range, std::span<std::byte> out) {
  const auto leaves = leaves_of(tensor, manifest_.virtual_shards);
  std::size_t leaf = 0;
  std::uint64_t done = 0;
  for (const auto& piece : tensor.pieces) {
    for (const Hash128& expected : piece.leaves) {
      const ByteRange& at = leaves.at(leaf++);
      if (at.begin < range.begin || at.end() > range.end() || at.bytes == 0) continue;
      const std::uint64_t offset = piece.offset + (at.begin - piece.range.begin);
      const auto target = out.subspan(at.begin - range.begin, at.bytes);
      try {
        open(piece.file).forget(offset, at.bytes);
        open(piece.file).read_at(offset, target);
      } catch (const FileError& error) {
        throw CheckpointError("reading tensor " + tensor.name + ": " + error.what());
      }
      if (xxh128(target) != expected)
        throw CheckpointError("tensor " + tensor.name + " is damaged in " + manifest_.files[piece.file].name +
                              " at bytes " + std::to_string(offset) + " to " +
                              std::to_string(offset + at.bytes));
      done += at.bytes;
    }
  }
  if (done != range.bytes)
    throw CheckpointError("bytes of " + tensor.name + " were asked for that are not whole leaves");
}

}  // namespace facemae
