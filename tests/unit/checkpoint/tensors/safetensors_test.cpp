#include "checkpoint/tensors/safetensors.h"

#include "checkpoint/format/layout.h"
#include "tests/golden/numbers.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using test::TemporaryFolder;
using test::values;

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
    EXPECT_EQ((header.data_start + entry.begin) % element_bytes(entry.dtype), 0u)
        << name << " is not aligned";
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
  EXPECT_GE(read, 8);
}

}  // namespace
}  // namespace facemae
