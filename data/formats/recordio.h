#pragma once
// Parses and writes MXNet RecordIO, the format of .rec and .idx files, in memory: spans in, values out.
//
// A chunk is u32 magic, u32 (part << 29 | length), payload, zeros up to a multiple of 4 bytes. A record is
// one whole chunk, or a first, any middle and a last one: where the payload held the magic at a multiple of 4
// bytes it was cut there and those 4 bytes left out. An image record's payload is u32 flag, f32 label, u64
// id, u64 id2, `flag` further f32 labels and the encoded image. All little-endian.
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/checksum.h"

namespace facemae {

inline constexpr std::uint32_t kRecordMagic = 0xced7230a;
inline constexpr std::uint64_t kChunkHeaderBytes = 8, kImageHeaderBytes = 24;
inline constexpr std::uint64_t kMostChunkBytes = (1ULL << 29) - 1;
/// float32 holds every whole number up to here, and no odd one beyond.
inline constexpr std::uint64_t kExactFloat = 1ULL << 24;

enum class ChunkPart : std::uint8_t { Whole = 0, First = 1, Middle = 2, Last = 3 };
struct ChunkHeader {
  ChunkPart part;
  std::uint32_t length;  ///< of the payload
  /// Header, payload and padding.
  std::uint64_t bytes() const { return kChunkHeaderBytes + (std::uint64_t{length} + 3) / 4 * 4; }
};
/// The chunk that begins at `header`, of which `left` bytes of the file follow (the header's own included).
/// Throws DataError: another magic, a part above 3, a payload that ends beyond the file.
ChunkHeader parse_chunk_header(Bytes header, std::uint64_t left);

/// Puts the chunks of one record together.
class RecordAssembler {
 public:
  /// Throws DataError for a chunk that cannot come here (a middle without a first).
  void add(const ChunkHeader& chunk, Bytes payload);
  bool complete() const { return complete_; }
  std::vector<std::byte> take() { return std::move(payload_); }

 private:
  std::vector<std::byte> payload_;
  bool begun_ = false, complete_ = false;
};

struct Record {
  std::vector<std::byte> payload;
  std::uint64_t bytes = 0;  ///< it takes in the file, padding included: the next one begins there
};
/// The record at the front of `file`; throws DataError when it is damaged or ends beyond `file`.
Record parse_record(Bytes file);
/// The chunks of a payload, ready to be appended to a file. Throws DataError if one exceeds kMostChunkBytes.
std::vector<std::byte> write_record(Bytes payload);

struct ImageRecord {
  float label = 0;  ///< used when there are no `labels`
  std::uint64_t id = 0, id2 = 0;
  std::vector<float> labels;  ///< flag of them
  Bytes image;                ///< within the payload; empty in InsightFace's header and identity records
  /// The class: the first of `labels`, or `label`.
  float first_label() const { return labels.empty() ? label : labels.front(); }
};
/// Throws DataError when the payload is shorter than its header says. The result refers to `payload`.
ImageRecord parse_image_record(Bytes payload);
std::vector<std::byte> write_image_record(const ImageRecord& record);

/// A class label as a number; throws DataError when it is negative, broken, not finite or 2^32 and more.
std::int64_t class_of(float label);

/// A line of an .idx file: key, tab, offset of the record's magic.
struct RecordPlace {
  std::uint64_t key = 0, offset = 0;
  bool operator==(const RecordPlace&) const = default;
};
/// In the order of the text. Throws DataError, naming the line, for anything but two whole numbers, an offset
/// that leaves no room for a record in `file_bytes` or is not a multiple of 4, and a key that came before.
std::vector<RecordPlace> parse_record_index(std::string_view text, std::uint64_t file_bytes);

}  // namespace facemae
