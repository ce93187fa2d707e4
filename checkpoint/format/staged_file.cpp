#include "checkpoint/format/staged_file.h"

#include <cerrno>
#include <optional>

#include "checkpoint/format/patient_read.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/files/page_cache.h"
#include "core/log.h"

namespace facemae {

RankReport write_staged(FileSystem& files, const Path& folder, const StagedFile& staged) {
  RankReport report;
  if (staged.pieces.empty()) return report;
  report.file = {.name = staged.name,
                 .bytes = staged.header.size(),
                 .header_bytes = staged.header.size(),
                 .header_hash = xxh128(bytes_of(staged.header))};
  const Path path = folder / staged.name;
  auto out = files.create(path);
  failpoint("save.shard.created");
  out->write(bytes_of(staged.header));
  for (const auto& piece : staged.pieces) {
    ManifestPiece written{.file = 0, .offset = report.file.bytes, .range = piece.range, .leaves = {}};
    for (const ByteRange& leaf : piece.leaves) {
      const Bytes memory = staged.data.subspan(piece.at + leaf.begin - piece.range.begin, leaf.bytes);
      written.leaves.push_back(xxh128(memory));
      out->write(memory);
      failpoint("save.shard.leaf");
    }
    report.file.bytes += piece.range.bytes;
    report.tensors.push_back(
        {.name = piece.tensor, .dtype = {}, .shape = {}, .by_class = false, .pieces = {std::move(written)}});
  }
  out->sync();
  out->close();
  failpoint("save.shard.synced");
  if (const auto size = std::filesystem::file_size(path); size != report.file.bytes)
    throw FileError(
        fmt::format("{} has {} bytes although {} were written", path.string(), size, report.file.bytes), EIO);
  return report;
}

bool scrub(const Path& folder, const StagedFile& staged, const RankReport& report,
           const std::stop_token& stop) {
  if (report.file.name.empty()) return true;
  const Path path = folder / report.file.name;
  say_if_cache_stays(folder);
  std::vector<std::byte> buffer;
  std::optional<InputFile> file;
  try {
    std::uint64_t size = 0;
    patiently([&] {
      file.emplace(path);
      size = file->size();
    });
    if (size != report.file.bytes)
      throw CheckpointError(fmt::format("{} has {} of {} bytes", path.string(), size, report.file.bytes));
    // Drops what is cached first, so that the bytes come from the storage.
    const auto check = [&](std::uint64_t offset, std::uint64_t bytes, const Hash128& expected) {
      buffer.resize(bytes);
      patiently([&] {
        file->forget(offset, bytes);
        file->read_at(offset, buffer);
      });
      if (xxh128(buffer) != expected)
        throw CheckpointError(fmt::format("{} is not what was written at bytes {} to {}", path.string(),
                                          offset, offset + bytes));
    };
    check(0, report.file.header_bytes, report.file.header_hash);
    for (std::size_t i = 0; i < staged.pieces.size(); ++i) {
      const ManifestPiece& piece = report.tensors.at(i).pieces.at(0);
      for (std::size_t leaf = 0; leaf < piece.leaves.size(); ++leaf) {
        if (stop.stop_requested()) return false;
        const ByteRange& range = staged.pieces[i].leaves.at(leaf);
        check(piece.offset + range.begin - piece.range.begin, range.bytes, piece.leaves[leaf]);
      }
    }
  } catch (const UnreadableCheckpoint& error) {  // it may be right: it stays, without a stamp
    spdlog::warn("{} could not be read back: {}", path.string(), error.what());
    return false;
  }
  return true;
}

}  // namespace facemae
