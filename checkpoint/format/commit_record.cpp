#include "checkpoint/format/commit_record.h"

#include <cstring>

#include "core/error.h"

namespace facemae {
namespace {

constexpr char kMagic[9] = "FMCOMMIT";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kCrcAt = kCommitBytes - 4;

template <class T>
void put(std::string& bytes, std::size_t at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}
template <class T>
T take(const std::string& bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;)
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(bytes[at + i]));
  return value;
}

/// Over the whole record, with the CRC's own four bytes zero.
std::uint32_t crc_of(std::string bytes) {
  put<std::uint32_t>(bytes, kCrcAt, 0);
  return crc32c(bytes_of(bytes));
}

}  // namespace

std::string serialise(const CommitRecord& record) {
  std::string bytes(kCommitBytes, '\0');
  std::memcpy(bytes.data(), kMagic, 8);
  put<std::uint32_t>(bytes, 8, kVersion);
  put<std::uint32_t>(bytes, 12, record.id.start);
  put<std::uint64_t>(bytes, 16, record.id.step);
  put<std::uint64_t>(bytes, 24, record.manifest_bytes);
  put<std::uint64_t>(bytes, 32, record.manifest_hash.low);
  put<std::uint64_t>(bytes, 40, record.manifest_hash.high);
  put<std::uint32_t>(bytes, kCrcAt, crc_of(bytes));
  return bytes;
}

CommitRecord parse_commit(const std::string& bytes) {
  if (bytes.size() != kCommitBytes)
    throw CheckpointError("COMMIT has " + std::to_string(bytes.size()) + " bytes, not " +
                          std::to_string(kCommitBytes));
  if (bytes.compare(0, 8, kMagic) != 0) throw CheckpointError("COMMIT does not start with its magic");
  if (take<std::uint32_t>(bytes, kCrcAt) != crc_of(bytes))
    throw CheckpointError("COMMIT's checksum is wrong");
  if (const auto version = take<std::uint32_t>(bytes, 8); version != kVersion)
    throw CheckpointError("COMMIT has version " + std::to_string(version) + ", but this program reads " +
                          std::to_string(kVersion));
  return {.id = {take<std::uint64_t>(bytes, 16), take<std::uint32_t>(bytes, 12)},
          .manifest_bytes = take<std::uint64_t>(bytes, 24),
          .manifest_hash = {take<std::uint64_t>(bytes, 40), take<std::uint64_t>(bytes, 32)}};
}

}  // namespace facemae
