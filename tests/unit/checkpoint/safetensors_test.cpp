#include "checkpoint/safetensors.h"

#include <cstring>

#include "fixture.h"
#include "tests/golden/numbers.h"

namespace facemae {
namespace {

using test::overwrite;
using test::TemporaryFolder;
using test::values;

std::string file_with(const std::string& json, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  const std::uint64_t length = json.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + json + std::string(data_bytes, 'x');
}

std::string fault_of(const std::string& bytes) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "x.safetensors";
  overwrite(path, bytes);
  try {
    read_safetensors(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Safetensors, WritesTheGoldenHeadersOfTheReferenceWriter) {
  EXPECT_EQ(safetensors_header({}, {}, 8), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));

  const std::string exact = safetensors_header({{"attn.0", torch::zeros({1, 2, 3})}}, {}, 8);
  EXPECT_EQ(exact, std::string("\x40\0\0\0\0\0\0\0", 8) +
                       R"({"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})");
  const std::string padded = safetensors_header({{"attn0", torch::zeros({1, 1, 2, 3})}}, {}, 8);
  EXPECT_EQ(padded, std::string("\x48\0\0\0\0\0\0\0", 8) +
                        R"({"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}})" + "       ");
}

TEST(Safetensors, StartsDataAtAPage) {
  const auto header = safetensors_header({{"a", torch::zeros({5})}}, {{"k", "v"}});
  EXPECT_EQ(header.size(), 4096u);
}

TEST(Safetensors, GivesBackEveryTypeAndShape) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "all.safetensors";
  NamedTensors tensors;
  for (const auto type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16, torch::kFloat16, torch::kInt64,
                          torch::kInt32, torch::kInt16, torch::kInt8, torch::kUInt8, torch::kBool})
    tensors.emplace_back(std::string("t.") + c10::toString(type), values({3, 1, 5}, type, 3));
  tensors.emplace_back("number", values({}, torch::kFloat64, 4));
  tensors.emplace_back("empty", torch::zeros({0, 7}));
  tensors.emplace_back("turned", values({4, 6}, torch::kFloat32, 5).t());
  write_safetensors(real_files(), path, tensors, {{"made", "by a test"}});

  std::map<std::string, std::string> metadata;
  std::map<std::string, torch::Tensor> read;
  for (auto& [name, value] : read_safetensors(path, &metadata)) read[name] = value;
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, value] : tensors) {
    EXPECT_EQ(read.at(name).scalar_type(), value.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(read.at(name), value)) << name;
  }
  EXPECT_EQ(metadata, (std::map<std::string, std::string>{{"made", "by a test"}}));
  const auto header = read_safetensors_header(InputFile(path));
  for (const auto& [name, entry] : header.entries)
    EXPECT_EQ((header.data_start + entry.begin) % c10::elementSize(entry.type), 0u)
        << name << " is not aligned";
}

TEST(Safetensors, RefusesHolesOverlapsAndWrongLengths) {
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
  EXPECT_THAT(fault_of(file_with("{" + a + "," + a + "}", 4)), testing::HasSubstr("there twice"));
  EXPECT_THAT(fault_of(file_with("{" + a, 4)), testing::HasSubstr("not JSON"));
  EXPECT_THAT(fault_of(file_with("[1]", 0)), testing::HasSubstr("object"));
  EXPECT_THAT(fault_of("short"), testing::HasSubstr("only 5 bytes"));
}

TEST(Safetensors, RefusesAHeaderLengthAboveTheFileBeforeItAllocates) {
  std::string bytes = file_with("{}", 0);
  const std::uint64_t huge = 99'999'999;
  std::memcpy(bytes.data(), &huge, 8);
  EXPECT_THAT(fault_of(bytes), testing::HasSubstr("header's length 99999999"));
  const std::uint64_t endless = ~0ULL - 4;
  std::memcpy(bytes.data(), &endless, 8);
  EXPECT_THAT(fault_of(bytes), testing::HasSubstr("header's length"));
}

TEST(Safetensors, RefusesToWriteANameTwice) {
  EXPECT_THROW(safetensors_header({{"a", torch::zeros({1})}, {"a", torch::zeros({1})}}, {}), ConfigError);
  EXPECT_THROW(safetensors_header({{"a", torch::zeros({1}, torch::kComplexFloat)}}, {}), ConfigError);
}

TEST(Safetensors, ReadsFilesOfTheReferenceWriter) {
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden_file(""))) {
    if (entry.path().extension() != ".safetensors") continue;
    const auto header = read_safetensors_header(InputFile(entry.path()));
    EXPECT_EQ(header.data_start % 8, 0u);
    EXPECT_EQ(read_safetensors(entry.path()).size(), header.entries.size());
    EXPECT_FALSE(header.entries.empty());
    ++read;
  }
  EXPECT_EQ(read, 4);
}

}  // namespace
}  // namespace facemae
