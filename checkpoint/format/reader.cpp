#include "checkpoint/format/reader.h"

#include "checkpoint/format/layout.h"
#include "checkpoint/format/patient_read.h"
#include "core/error.h"

namespace facemae {

void CheckpointReader::fetch(std::uint32_t file, std::uint64_t offset, std::span<std::byte> out) {
  patiently([&] {
    auto at = open_.find(file);
    if (at == open_.end()) at = open_.emplace(file, InputFile(folder_ / manifest_.files.at(file).name)).first;
    try {
      at->second.forget(offset, out.size());
      at->second.read_at(offset, out);
    } catch (const FileError&) {
      open_.erase(at);  // a stale handle would fail for ever
      throw;
    }
  });
}

void CheckpointReader::check_header(std::uint32_t file) {
  const ManifestFile& expected = manifest_.files.at(file);
  std::string header(expected.header_bytes, '\0');
  fetch(file, 0, std::as_writable_bytes(std::span(header)));
  if (xxh128(bytes_of(header)) != expected.header_hash)
    throw CheckpointError("the header of " + expected.name + " is not what was written");
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
      fetch(piece.file, offset, target);
      if (xxh128(target) != expected)
        throw CheckpointError("tensor " + tensor.name + " is damaged in " + manifest_.files[piece.file].name +
                              " at bytes " + std::to_string(offset) + " to " +
                              std::to_string(offset + at.bytes));
      done += at.bytes;
    }
  }
  if (done != range.bytes)
    throw CheckpointError("the bytes requested of " + tensor.name + " are not whole leaves");
}

}  // namespace facemae
