#include "checkpoint/pytorch/stored_zip.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace facemae {
namespace {

constexpr std::uint64_t kAligned = 64, kFar = 0xFFFFFFFF, kMany = 0xFFFF;
constexpr std::uint64_t kLocalBytes = 30, kPaddingHead = 4;
constexpr std::uint16_t kVersion = 45;           // which has Zip64
constexpr std::uint16_t kFirstDay = 0x21;        // 1 January 1980
constexpr std::uint16_t kPaddingField = 0x4246;  // "FB", as PyTorch calls it
constexpr std::uint16_t kZip64Field = 1, kUtf8Name = 0x800;

/// The CRC-32 of zip and gzip.
std::uint32_t crc32_of(Bytes bytes) {
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

/// Numbers, little endian.
class Record {
 public:
  Record& u16(std::uint64_t value) { return number(value, 2); }
  Record& u32(std::uint64_t value) { return number(value, 4); }
  Record& u64(std::uint64_t value) { return number(value, 8); }
  Record& text(const std::string& letters) {
    bytes_ += letters;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& number(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i));
    return *this;
  }
  std::string bytes_;
};

}  // namespace

void StoredZip::write(Bytes bytes) {
  out_.write(bytes);
  at_ += bytes.size();
}

void StoredZip::add(const std::string& name, Bytes bytes) {
  entries_.push_back({name, at_, bytes.size(), crc32_of(bytes)});
  const Entry& entry = entries_.back();
  const bool far = entry.bytes >= kFar;
  Record extra;
  if (far) extra.u16(kZip64Field).u16(16).u64(entry.bytes).u64(entry.bytes);
  const std::uint64_t fixed = at_ + kLocalBytes + name.size() + extra.bytes().size() + kPaddingHead;
  const std::uint64_t padding = (kAligned - fixed % kAligned) % kAligned;
  extra.u16(kPaddingField).u16(padding).text(std::string(padding, 'Z'));
  Record local;
  local.u32(0x04034b50).u16(kVersion).u16(kUtf8Name).u16(0).u16(0).u16(kFirstDay).u32(entry.crc);
  local.u32(std::min(entry.bytes, kFar)).u32(std::min(entry.bytes, kFar));
  local.u16(name.size()).u16(extra.bytes().size()).text(name).text(extra.bytes());
  write(bytes_of(local.bytes()));
  write(bytes);
}

void StoredZip::finish() {
  const std::uint64_t directory = at_;
  for (const Entry& entry : entries_) {
    const bool far = entry.bytes >= kFar || entry.offset >= kFar;
    Record extra, central;
    if (far) extra.u16(kZip64Field).u16(24).u64(entry.bytes).u64(entry.bytes).u64(entry.offset);
    central.u32(0x02014b50)
        .u16(kVersion)
        .u16(kVersion)
        .u16(kUtf8Name)
        .u16(0)
        .u16(0)
        .u16(kFirstDay)
        .u32(entry.crc);
    central.u32(far ? kFar : entry.bytes).u32(far ? kFar : entry.bytes);
    central.u16(entry.name.size()).u16(extra.bytes().size()).u16(0).u16(0).u16(0).u32(0);
    central.u32(far ? kFar : entry.offset).text(entry.name).text(extra.bytes());
    write(bytes_of(central.bytes()));
  }
  const std::uint64_t end = at_, bytes = end - directory, count = entries_.size();
  Record last;
  if (directory >= kFar || count >= kMany) {
    last.u32(0x06064b50)
        .u64(44)
        .u16(kVersion)
        .u16(kVersion)
        .u32(0)
        .u32(0)
        .u64(count)
        .u64(count)
        .u64(bytes)
        .u64(directory);
    last.u32(0x07064b50).u32(0).u64(end).u32(1);
  }
  last.u32(0x06054b50).u16(0).u16(0).u16(std::min(count, kMany)).u16(std::min(count, kMany));
  last.u32(std::min(bytes, kFar)).u32(std::min(directory, kFar)).u16(0);
  write(bytes_of(last.bytes()));
}

}  // namespace facemae
