#include "checkpoint/format/safetensors_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

std::string file_with(const std::string& json, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  const std::uint64_t length = json.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + json + std::string(data_bytes, 'x');
}

std::string fault_of(const std::string& bytes) {
  const test::TemporaryFolder folder;
  const Path path = folder.path() / "x.safetensors";
  write_durably(real_files(), path, bytes);
  try {
    read_safetensors_header(InputFile(path));
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(SafetensorsHeader, RefusesHolesOverlapsAndWrongLengths) {
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  EXPECT_EQ(fault_of(file_with("{" + a + "}", 4)), "");
  EXPECT_THAT(fault_of(file_with("{" + a + "}", 3)), testing::HasSubstr("bytes of data"));
  EXPECT_THAT(fault_of(file_with("{" + a + "}", 5)), testing::HasSubstr("bytes of data"));
  EXPECT_THAT(fault_of(file_with("{" + a + R"(,"b":{"dtype":"U8","shape":[2],"data_offsets":[5,7]}})", 7)),
              testing::HasSubstr("a hole"));
  EXPECT_THAT(fault_of(file_with("{" + a + R"(,"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})", 5)),
              testing::HasSubstr("an overlap"));
  EXPECT_THAT(fault_of(file_with(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}})", 4)),
              testing::HasSubstr("do not fit its shape"));
  EXPECT_THAT(fault_of(file_with(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})", 4)),
              testing::HasSubstr("do not fit its shape"));
  EXPECT_THAT(fault_of(file_with(R"({"a":{"dtype":"F9","shape":[4],"data_offsets":[0,4]}})", 4)),
              testing::HasSubstr("unknown type"));
  EXPECT_THAT(fault_of(file_with(R"({"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}})", 4)),
              testing::HasSubstr("bad number in its shape"));
  EXPECT_THAT(fault_of(file_with(
                  R"({"a":{"dtype":"F64","shape":[4294967296,4294967296,2],"data_offsets":[0,4]}})", 4)),
              testing::HasSubstr("overflows"));
  EXPECT_THAT(fault_of(file_with("{" + a + "," + a + "}", 4)), testing::HasSubstr("occurs twice"));
  EXPECT_THAT(fault_of(file_with("{" + a, 4)), testing::HasSubstr("not JSON"));
  EXPECT_THAT(fault_of(file_with("[1]", 0)), testing::HasSubstr("object"));
  EXPECT_THAT(fault_of("short"), testing::HasSubstr("only 5 bytes"));
}

TEST(SafetensorsHeader, RefusesAHeaderLengthAboveTheFileBeforeItAllocates) {
  std::string bytes = file_with("{}", 0);
  const std::uint64_t huge = 99'999'999;
  std::memcpy(bytes.data(), &huge, 8);
  EXPECT_THAT(fault_of(bytes), testing::HasSubstr("header's length 99999999"));
  const std::uint64_t endless = ~0ULL - 4;
  std::memcpy(bytes.data(), &endless, 8);
  EXPECT_THAT(fault_of(bytes), testing::HasSubstr("header's length"));
}

TEST(SafetensorsHeader, RefusesAnEmptyTensorWhoseOtherSidesOverflow) {
  EXPECT_EQ(fault_of(file_with(R"({"a":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]}})", 0)), "");
  EXPECT_THAT(fault_of(file_with(
                  R"({"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}})", 0)),
              testing::HasSubstr("overflows"));
}

TEST(SafetensorsHeader, RefusesATypeThatIsATowerOfLists) {
  // Printing such a value would need a call for each level.
  const std::size_t levels = 500'000;
  const std::string tower = std::string(levels, '[') + std::string(levels, ']');
  EXPECT_THAT(fault_of(file_with(R"({"a":{"dtype":)" + tower + R"(,"shape":[4],"data_offsets":[0,4]}})", 4)),
              testing::HasSubstr("dtype that is not a text"));
}

}  // namespace
}  // namespace facemae
