#include "data/formats/recordio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

std::vector<std::byte> as_vector(const std::string& text) {
  const Bytes bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}
std::string as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
const std::string kMagicText = "\x0a\x23\xd7\xce";

std::string fault_of(const std::string& file) {
  try {
    parse_record(bytes_of(file));
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(RecordIo, WritesTheBytesOfTheSpecification) {
  EXPECT_EQ(as_text(write_record(bytes_of(std::string("abcde")))),
            kMagicText + std::string("\5\0\0\0", 4) + std::string("abcde\0\0\0", 8));
}

TEST(RecordIo, SplitsAtTheMagicWordWhereItIsAligned) {
  // First part "abcd" (part 1), an empty middle (part 2), last part "x" (part 3); an unaligned magic stays.
  EXPECT_EQ(as_text(write_record(bytes_of("abcd" + kMagicText + kMagicText + "x"))),
            kMagicText + std::string("\4\0\0\x20", 4) + "abcd" + kMagicText + std::string("\0\0\0\x40", 4) +
                kMagicText + std::string("\1\0\0\x60", 4) + std::string("x\0\0\0", 4));
  const std::string unaligned = "ab" + kMagicText + "cd";
  EXPECT_EQ(write_record(bytes_of(unaligned)).size(), kChunkHeaderBytes + unaligned.size());
}

TEST(RecordIo, ReadsBackAnyPayload) {
  Draws draws(5);
  for (int trial = 0; trial < 2000; ++trial) {
    std::string payload;
    for (auto pieces = draws.next() % 12; pieces > 0; --pieces)
      payload +=
          draws.next() % 2 == 0 ? kMagicText : std::string(draws.next() % 6, static_cast<char>(draws.next()));
    const auto written = write_record(bytes_of(payload));
    std::string file = as_text(written) + "what follows";
    const Record record = parse_record(bytes_of(file));
    ASSERT_EQ(as_text(record.payload), payload);
    ASSERT_EQ(record.bytes, written.size());
    ASSERT_EQ(record.bytes % 4, 0u);
  }
}

TEST(RecordIo, EveryTruncationIsAnError) {
  const auto file = as_text(write_record(bytes_of("abcdefgh" + kMagicText + "klmn")));
  for (std::size_t length = 0; length < file.size(); ++length)
    EXPECT_THAT(fault_of(file.substr(0, length)), testing::HasSubstr("truncated")) << length;
  EXPECT_EQ(fault_of(file), "");
  // Only padding may be missing, at the very end.
  EXPECT_EQ(fault_of(as_text(write_record(bytes_of(std::string("abcde")))).substr(0, 13)), "");
}

TEST(RecordIo, NamesWhatIsWrongWithAChunk) {
  EXPECT_THAT(fault_of(std::string("\x0a\x23\xd7\x3e\1\0\0\0x\0\0\0", 12)), testing::HasSubstr("2015"));
  EXPECT_THAT(fault_of("no record at all"), testing::HasSubstr("expected ced7230a"));
  EXPECT_THAT(fault_of(kMagicText + std::string("\1\0\0\x80x\0\0\0", 8)),
              testing::HasSubstr("part number 4"));
  EXPECT_THAT(fault_of(kMagicText + std::string("\xff\xff\xff\x1fx\0\0\0", 8)),
              testing::HasSubstr("claims 536870911 bytes, but 4 are left"));
  EXPECT_THAT(fault_of(kMagicText + std::string("\1\0\0\x60x\0\0\0", 8)),
              testing::HasSubstr("lacks its beginning"));
  const std::string first = kMagicText + std::string("\1\0\0\x20x\0\0\0", 8);
  EXPECT_THAT(fault_of(first + first), testing::HasSubstr("before the previous one has ended"));
}

TEST(RecordIo, AnImageRecordGoesThereAndBack) {
  const auto image = as_vector("JPEG");
  const auto scalar =
      write_image_record({.label = 7, .id = 3, .id2 = 1ULL << 40, .labels = {}, .image = image});
  ASSERT_EQ(scalar.size(), 28u);
  const ImageRecord plain = parse_image_record(scalar);
  EXPECT_EQ(plain.first_label(), 7);
  EXPECT_EQ(plain.id, 3u);
  EXPECT_EQ(plain.id2, 1ULL << 40);
  EXPECT_EQ(as_text(plain.image), "JPEG");
  const auto several = write_image_record({.label = 0, .id = 0, .id2 = 0, .labels = {201, 221}, .image = {}});
  const ImageRecord header = parse_image_record(several);
  EXPECT_EQ(header.first_label(), 201);
  EXPECT_THAT(header.labels, testing::ElementsAre(201, 221));
  EXPECT_TRUE(header.image.empty());
}

TEST(RecordIo, MoreLabelsThanBytesAreRefusedBeforeMemoryIsAskedFor) {
  auto record = write_image_record({.label = 0, .id = 0, .id2 = 0, .labels = {1, 2}, .image = {}});
  const std::uint32_t many = std::numeric_limits<std::uint32_t>::max();
  std::memcpy(record.data(), &many, 4);
  EXPECT_THROW(parse_image_record(record), DataError);
  const std::uint32_t one_too_many = 3;
  std::memcpy(record.data(), &one_too_many, 4);
  EXPECT_THROW(parse_image_record(record), DataError);
  EXPECT_THROW(parse_image_record(Bytes(record).first(23)), DataError);
}

TEST(RecordIo, AClassIsAWholeNumber) {
  EXPECT_EQ(class_of(0), 0);
  EXPECT_EQ(class_of(16777216), 16777216);
  for (const float bad : {-1.0F, 0.5F, std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN(), 1e20F, 4294967296.0F})
    EXPECT_THROW(class_of(bad), DataError) << bad;
}

TEST(RecordIo, ReadsAnIndexInItsOrder) {
  EXPECT_THAT(parse_record_index("5\t40\n0\t0\r\n\n7\t12", 48),
              testing::ElementsAre(RecordPlace{5, 40}, RecordPlace{0, 0}, RecordPlace{7, 12}));
  EXPECT_TRUE(parse_record_index("", 0).empty());
}

TEST(RecordIo, NamesTheLineOfABadIndex) {
  const auto fault = [](const std::string& text) {
    try {
      parse_record_index(text, 100);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const char* bad : {"0\t0\n1 40", "0\t0\n-1\t40", "0\t0\n1\t40x", "0\t0\n\t",
                          "0\t0\n99999999999999999999\t0", "0\t0\n1\t2\t3"})
    EXPECT_THAT(fault(bad), testing::HasSubstr("line 2")) << bad;
  EXPECT_THAT(fault("0\t96"), testing::HasSubstr("no record can begin at offset 96 in a file of 100 bytes"));
  EXPECT_THAT(fault("0\t2"), testing::HasSubstr("no record can begin at offset 2 in a file"));
  EXPECT_THAT(fault("4\t0\n4\t40"), testing::HasSubstr("key 4 twice"));
}

}  // namespace
}  // namespace facemae
