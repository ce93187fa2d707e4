#include "data/formats/record_file.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::size_t kWindowBytes = 1 << 20;

RecordFront told_by(const ImageRecord& record, const ChunkHeader& chunk) {
  RecordFront front{record.labels, !record.image.empty(), chunk.bytes()};
  if (front.labels.empty()) front.labels = {record.label};
  front.labels.resize(std::min<std::size_t>(front.labels.size(), 2));
  return front;
}

}  // namespace

std::vector<std::byte> read_record(const InputFile& file, std::uint64_t offset) {
  const std::uint64_t file_bytes = file.size();
  RecordAssembler assembler;
  std::vector<std::byte> bytes;
  while (!assembler.complete()) {
    if (offset >= file_bytes) throw DataError("the file ends within a RecordIO record: it is truncated");
    bytes.resize(std::min<std::uint64_t>(kChunkHeaderBytes, file_bytes - offset));
    file.read_at(offset, bytes);
    const ChunkHeader chunk = parse_chunk_header(bytes, file_bytes - offset);
    bytes.resize(chunk.length);
    file.read_at(offset + kChunkHeaderBytes, bytes);
    assembler.add(chunk, bytes);
    offset += chunk.bytes();
  }
  return assembler.take();
}

std::vector<RecordPlace> scan_records(const InputFile& file) {
  RecordWindows windows(file);
  const std::uint64_t file_bytes = windows.file_bytes();
  std::vector<RecordPlace> places;
  for (std::uint64_t offset = 0; offset < file_bytes;) {
    places.push_back({places.size(), offset});
    for (bool more = true; more;) {
      ChunkHeader chunk{};
      try {
        chunk = parse_chunk_header(windows.at(offset, kChunkHeaderBytes), file_bytes - offset);
      } catch (const DataError& error) {
        throw DataError(fmt::format("record {}, offset {}: {}", places.size() - 1, offset, error.what()));
      }
      offset += std::min(chunk.bytes(), file_bytes - offset);
      more = chunk.part == ChunkPart::First || chunk.part == ChunkPart::Middle;
    }
  }
  return places;
}

Bytes RecordWindows::at(std::uint64_t offset, std::size_t most) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, file_bytes_ - offset));
  if (offset < begin_ || offset + wanted > begin_ + window_.size()) {
    window_.resize(static_cast<std::size_t>(
        std::min<std::uint64_t>(std::max(kWindowBytes, wanted), file_bytes_ - offset)));
    file_.read_at(offset, window_);
    begin_ = offset;
  }
  return Bytes(window_).subspan(static_cast<std::size_t>(offset - begin_), wanted);
}

RecordFront RecordWindows::front(std::uint64_t offset) {
  const Bytes bytes = at(offset, kChunkHeaderBytes + kImageHeaderBytes + 2 * sizeof(float));
  const ChunkHeader chunk = parse_chunk_header(bytes, file_bytes_ - offset);
  std::vector<std::byte> head(bytes.begin() + kChunkHeaderBytes, bytes.end());
  if (chunk.part != ChunkPart::Whole || head.size() < kImageHeaderBytes + sizeof(float)) {
    const auto payload = read_record(file_, offset);
    return told_by(parse_image_record(payload), chunk);
  }
  std::uint32_t flag = 0;
  std::memcpy(&flag, head.data(), sizeof flag);
  const std::uint64_t header = kImageHeaderBytes + std::uint64_t{flag} * sizeof(float);
  if (header > chunk.length)
    throw DataError(fmt::format("an image record claims {} labels in {} bytes", flag, chunk.length));
  // As if it had at most two labels: further ones do not matter here.
  flag = std::min(flag, 2U);
  std::memcpy(head.data(), &flag, sizeof flag);
  RecordFront front = told_by(parse_image_record(head), chunk);
  front.has_image = chunk.length > header;
  return front;
}

}  // namespace facemae
