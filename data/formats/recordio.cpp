#include "data/formats/recordio.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <span>
#include <string>

#include "core/error.h"
#include "core/log.h"
#include "data/formats/value_at.h"

namespace facemae {
namespace {

constexpr std::uint32_t kLengthMask = (1U << 29) - 1;
/// What dmlc-core wrote for a while in 2015, with the second word split differently.
constexpr std::uint32_t kMagicOf2015 = 0x3ed7230a;

template <class T>
void append_value(std::vector<std::byte>& out, const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_chunk(std::vector<std::byte>& out, ChunkPart part, Bytes payload) {
  if (payload.size() > kMostChunkBytes)
    throw DataError(fmt::format("a record has {} bytes, but RecordIO holds at most {} in one piece",
                                payload.size(), kMostChunkBytes));
  append_value(out, kRecordMagic);
  append_value(out, static_cast<std::uint32_t>(part) << 29 | static_cast<std::uint32_t>(payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  out.resize((out.size() + 3) / 4 * 4);
}

}  // namespace

ChunkHeader parse_chunk_header(Bytes header, std::uint64_t left) {
  if (header.size() < kChunkHeaderBytes || left < kChunkHeaderBytes)
    throw DataError(
        fmt::format("{} bytes are left where a RecordIO record begins with {}: the file is truncated",
                    std::min<std::uint64_t>(header.size(), left), kChunkHeaderBytes));
  const auto magic = value_at<std::uint32_t>(header, 0), word = value_at<std::uint32_t>(header, 4);
  if (magic == kMagicOf2015)
    throw DataError(
        "this RecordIO file has the layout of early 2015 (magic 3ed7230a); rewrite it with MXNet");
  if (magic != kRecordMagic)
    throw DataError(
        fmt::format("no RecordIO record begins here: found {:08x}, expected {:08x}", magic, kRecordMagic));
  const std::uint32_t part = word >> 29;
  if (part > 3)
    throw DataError(fmt::format("a RecordIO record has part number {}, but 3 is the highest", part));
  const ChunkHeader chunk{static_cast<ChunkPart>(part), word & kLengthMask};
  // The last record's padding may be missing: other writers omit it at the end of a file.
  if (chunk.length > left - kChunkHeaderBytes)
    throw DataError(fmt::format(
        "a RecordIO record claims {} bytes, but {} are left in the file: it is truncated or damaged",
        chunk.length, left - kChunkHeaderBytes));
  return chunk;
}

void RecordAssembler::add(const ChunkHeader& chunk, Bytes payload) {
  const bool begins = chunk.part == ChunkPart::Whole || chunk.part == ChunkPart::First;
  if (begins == begun_ || complete_)
    throw DataError(begins ? "a RecordIO record begins before the previous one has ended"
                           : "a RecordIO record lacks its beginning");
  if (!begins) {
    std::vector<std::byte> magic;
    append_value(magic, kRecordMagic);
    payload_.insert(payload_.end(), magic.begin(), magic.end());
  }
  payload_.insert(payload_.end(), payload.begin(), payload.end());
  begun_ = true;
  complete_ = chunk.part == ChunkPart::Whole || chunk.part == ChunkPart::Last;
}

Record parse_record(Bytes file) {
  RecordAssembler assembler;
  Record record;
  while (!assembler.complete()) {
    const Bytes rest = file.subspan(std::min<std::size_t>(record.bytes, file.size()));
    const ChunkHeader chunk = parse_chunk_header(rest, rest.size());
    assembler.add(chunk, rest.subspan(kChunkHeaderBytes, chunk.length));
    record.bytes += chunk.bytes();
  }
  record.bytes = std::min<std::uint64_t>(record.bytes, file.size());
  record.payload = assembler.take();
  return record;
}

std::vector<std::byte> write_record(Bytes payload) {
  std::vector<std::byte> out;
  out.reserve(payload.size() + 2 * kChunkHeaderBytes);
  std::size_t begin = 0;
  for (std::size_t at = 0; at + 4 <= payload.size(); at += 4) {
    if (value_at<std::uint32_t>(payload, at) != kRecordMagic) continue;
    append_chunk(out, begin == 0 ? ChunkPart::First : ChunkPart::Middle, payload.subspan(begin, at - begin));
    begin = at + 4;
  }
  append_chunk(out, begin == 0 ? ChunkPart::Whole : ChunkPart::Last, payload.subspan(begin));
  return out;
}

ImageRecord parse_image_record(Bytes payload) {
  if (payload.size() < kImageHeaderBytes)
    throw DataError(fmt::format("a record has {} bytes, but the header of an image record has {}",
                                payload.size(), kImageHeaderBytes));
  const auto flag = value_at<std::uint32_t>(payload, 0);
  ImageRecord record;
  record.label = value_at<float>(payload, 4);
  record.id = value_at<std::uint64_t>(payload, 8);
  record.id2 = value_at<std::uint64_t>(payload, 16);
  const Bytes rest = payload.subspan(kImageHeaderBytes);
  if (flag > rest.size() / sizeof(float))
    throw DataError(fmt::format("an image record claims {} labels in {} bytes", flag, rest.size()));
  record.labels.resize(flag);
  if (flag > 0) std::memcpy(record.labels.data(), rest.data(), flag * sizeof(float));
  record.image = rest.subspan(flag * sizeof(float));
  return record;
}

std::vector<std::byte> write_image_record(const ImageRecord& record) {
  std::vector<std::byte> out;
  out.reserve(kImageHeaderBytes + record.labels.size() * sizeof(float) + record.image.size());
  append_value(out, static_cast<std::uint32_t>(record.labels.size()));
  append_value(out, record.label);
  append_value(out, record.id);
  append_value(out, record.id2);
  for (const float label : record.labels) append_value(out, label);
  out.insert(out.end(), record.image.begin(), record.image.end());
  return out;
}

std::int64_t class_of(float label) {
  if (!(label >= 0) || label >= 4294967296.0F || std::floor(label) != label)
    throw DataError(fmt::format("the label {} is not a class number (a whole number from 0)", label));
  return static_cast<std::int64_t>(label);
}

std::vector<RecordPlace> parse_record_index(std::string_view text, std::uint64_t file_bytes) {
  std::vector<RecordPlace> places;
  std::uint64_t line_number = 0;
  const auto refuse = [&](const std::string& why) {
    throw DataError(fmt::format("line {} of the .idx: {}", line_number, why));
  };
  while (!text.empty()) {
    ++line_number;
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    RecordPlace place;
    const char* const end = line.data() + line.size();
    const auto key = std::from_chars(line.data(), end, place.key);
    const bool separated = key.ec == std::errc() && key.ptr != end && *key.ptr == '\t';
    const auto offset = separated ? std::from_chars(key.ptr + 1, end, place.offset) : key;
    if (!separated || offset.ec != std::errc() || offset.ptr != end)
      refuse("expected key, tab and offset, found \"" + std::string(line.substr(0, 60)) + "\"");
    if (place.offset % 4 != 0 || file_bytes < kChunkHeaderBytes ||
        place.offset > file_bytes - kChunkHeaderBytes)
      refuse(
          fmt::format("no record can begin at offset {} in a file of {} bytes; "
                      "the .idx belongs to another .rec, or the .rec is truncated",
                      place.offset, file_bytes));
    places.push_back(place);
  }
  std::vector<std::uint64_t> keys(places.size());
  std::transform(places.begin(), places.end(), keys.begin(),
                 [](const RecordPlace& place) { return place.key; });
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) throw DataError(fmt::format("the .idx contains key {} twice", *twice));
  return places;
}

}  // namespace facemae
