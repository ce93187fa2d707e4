#include "checkpoint/format/commit_record.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

const CommitRecord kRecord{
    .id = {1234567890123ULL, 42}, .manifest_bytes = 77777, .manifest_hash = {0xAABB, 0xCCDD}};

TEST(CommitRecord, IsReadBackAsItWasWritten) {
  const std::string bytes = serialise(kRecord);
  EXPECT_EQ(bytes.size(), 4096u);
  EXPECT_EQ(bytes.substr(0, 8), "FMCOMMIT");
  EXPECT_EQ(parse_commit(bytes), kRecord);
}

TEST(CommitRecord, DetectsEverySingleFlippedBit) {
  std::string bytes = serialise(kRecord);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    ASSERT_THROW(parse_commit(bytes), CheckpointError) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
  EXPECT_EQ(parse_commit(bytes), kRecord);
}

TEST(CommitRecord, RefusesOtherLengths) {
  const std::string bytes = serialise(kRecord);
  EXPECT_THROW(parse_commit(""), CheckpointError);
  EXPECT_THROW(parse_commit(bytes.substr(0, 4095)), CheckpointError);
  EXPECT_THROW(parse_commit(bytes + '\0'), CheckpointError);
  EXPECT_THROW(parse_commit(std::string(4096, '\0')), CheckpointError);
}

TEST(CommitRecord, RefusesAnotherKindOfFileWithARightChecksum) {
  std::string bytes = serialise(kRecord);
  bytes[0] = 'X';
  bytes.replace(4092, 4, 4, '\0');
  const std::uint32_t crc = crc32c(bytes_of(bytes));
  for (int i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(4092 + i)] = static_cast<char>(crc >> (8 * i));
  EXPECT_THROW(parse_commit(bytes), CheckpointError);
  bytes[0] = 'F';
  EXPECT_THROW(parse_commit(bytes), CheckpointError) << "the checksum above was right for the other one only";
}

}  // namespace
}  // namespace facemae
