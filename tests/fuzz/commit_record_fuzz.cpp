// COMMIT of a checkpoint (checkpoint/format/commit_record.h): as it comes, and with its checksum put right, so that
// what lies behind the checksum is reached.
#include "checkpoint/format/commit_record.h"
#include "core/error.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

std::string with_checksum(std::string bytes) {
  if (bytes.size() != kCommitBytes) return bytes;
  const auto put = [&](std::uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes[kCommitBytes - 4 + i] = static_cast<char>(value >> (8 * i));
  };
  put(0);
  put(crc32c(bytes_of(bytes)));
  return bytes;
}

}  // namespace

void parse(std::string_view input) {
  const std::string right = with_checksum(std::string(input));
  if (right != input) {
    try {
      parse_commit(std::string(input));
      require(false, "a wrong checksum is refused");
    } catch (const CheckpointError&) {
    }
  }
  const CommitRecord record = parse_commit(right);
  require(parse_commit(serialise(record)) == record, "a record is read back as it was written");
}

std::vector<std::string> seeds() {
  return {serialise({.id = {1200, 3}, .manifest_bytes = 77, .manifest_hash = {1, 2}}),
          serialise(CommitRecord{})};
}

}  // namespace facemae::fuzz
