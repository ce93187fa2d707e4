#include "trainer/files/tensorboard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

namespace facemae {
namespace {

// One record of b"hello", framed by TensorFlow's record writer rules: length 5, masked CRC-32C of the length,
// data, masked CRC-32C of the data. CRCs computed with an independent table-driven implementation.
std::uint32_t slow_masked_crc(const std::string& data) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const unsigned char byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

TEST(TfRecord, FramesDataWithMaskedChecksums) {
  const std::string record = tf_record("hello");
  ASSERT_EQ(record.size(), 8u + 4 + 5 + 4);
  std::uint64_t length = 0;
  std::uint32_t length_crc = 0, data_crc = 0;
  std::memcpy(&length, record.data(), 8);
  std::memcpy(&length_crc, record.data() + 8, 4);
  std::memcpy(&data_crc, record.data() + 17, 4);
  EXPECT_EQ(length, 5u);
  EXPECT_EQ(record.substr(12, 5), "hello");
  EXPECT_EQ(length_crc, slow_masked_crc(record.substr(0, 8)));
  EXPECT_EQ(data_crc, slow_masked_crc("hello"));
}

TEST(TensorBoard, WritesAVersionAndItsStartThenScalarsAndPictures) {
  const Path folder = Path(testing::TempDir()) / ("tensorboard_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  {
    TensorBoard board(real_files(), folder, 3, /*done=*/300);
    board.scalars(7, {{"loss", 0.5}});
    board.picture(7, "samples", Image{2, 1, {1, 2, 3, 4, 5, 6}});
  }
  const Path file = *std::filesystem::directory_iterator(folder);
  EXPECT_TRUE(file.filename().string().starts_with("events.out.tfevents."));
  const std::string bytes = read_file(file);
  std::vector<std::string> records;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, 8);
    records.push_back(bytes.substr(at + 12, length));
    at += 16 + length;
  }
  ASSERT_EQ(records.size(), 4u);
  EXPECT_NE(records[0].find("brain.Event:2"), std::string::npos);
  // Event.step (field 2) is the varint 301, Event.session_log (field 7) a SessionLog of status (field 1) START.
  EXPECT_NE(records[1].find("\x10\xAD\x02"), std::string::npos) << "what is from there on is made again";
  EXPECT_TRUE(records[1].ends_with("\x3A\x02\x08\x01"));
  EXPECT_NE(records[2].find("loss"), std::string::npos);
  EXPECT_NE(records[3].find("PNG"), std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace facemae
