#include "evaluation/linkage/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

class Npy : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("facemae_npy_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  Path file() const { return folder_ / "array.npy"; }
  void put(const std::string& bytes) const { write_durably(real_files(), file(), bytes); }

  Path folder_;
};

/// A file as numpy.save(file, numpy.arange(6, dtype=numpy.int64).reshape(2, 3)) lays it out.
std::string numpys_own(
    const std::string& dict = "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }") {
  std::string header = dict + std::string(117 - dict.size(), ' ') + "\n";
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  for (std::int64_t i = 0; i < 6; ++i) bytes.append(reinterpret_cast<const char*>(&i), 8);
  return bytes;
}

TEST_F(Npy, ReadsWhatItWroteForAnyShape) {
  torch::manual_seed(1);
  for (const std::vector<std::int64_t>& shape :
       std::vector<std::vector<std::int64_t>>{{}, {5}, {0}, {3, 4}, {2, 3, 4, 5}, {0, 7}}) {
    const auto floats = torch::randn(shape), integers = torch::randint(-9, 9, shape, torch::kInt64);
    for (const auto& array : {floats, integers}) {
      write_npy(real_files(), file(), array);
      EXPECT_EQ(read_file(file()).find('\n') % 64, 63U);  // data start at a multiple of 64, as numpy wants
      EXPECT_TRUE(torch::equal(read_npy(file()), array)) << array.sizes();
    }
  }
}

TEST_F(Npy, WritesTransposedArraysInCOrder) {
  const auto array = torch::arange(6, torch::kInt64).view({3, 2}).t();
  write_npy(real_files(), file(), array);
  EXPECT_TRUE(torch::equal(read_npy(file()), array));
}

TEST_F(Npy, WritesAndReadsNumpysOwnLayout) {
  put(numpys_own());
  const auto array = torch::arange(6, torch::kInt64).view({2, 3});
  EXPECT_TRUE(torch::equal(read_npy(file()), array));
  write_npy(real_files(), file(), array);
  EXPECT_EQ(read_file(file()), numpys_own());
}

TEST_F(Npy, ReadsRowsOfEveryKindOfFloatAndBothVersions) {
  const auto wanted = torch::tensor({{1.0F, -2.5F}, {0.25F, 3.0F}});
  for (const char version : {1, 2})
    for (const auto& [name, type] :
         {std::pair("<f2", torch::kFloat16), {"<f4", torch::kFloat32}, {"<f8", torch::kFloat64}}) {
      std::string header =
          std::string("{'descr': '") + name + "', 'fortran_order': False, 'shape': (2, 2), }\n";
      std::string bytes = std::string("\x93NUMPY", 6) + version + '\0' + static_cast<char>(header.size());
      bytes.append(version == 1 ? 1 : 3, '\0');
      const auto values = wanted.to(type);
      put(bytes + header + std::string(static_cast<const char*>(values.data_ptr()), values.nbytes()));
      EXPECT_TRUE(torch::equal(read_rows(file()), wanted))
          << name << " in version " << static_cast<int>(version);
      EXPECT_EQ(read_npy(file()).scalar_type(), type);
    }
  put(numpys_own());
  EXPECT_THROW(read_rows(file()), DataError) << "integers";
  write_npy(real_files(), file(), torch::tensor({{1.0F}, {INFINITY}}));
  EXPECT_THROW(read_rows(file()), DataError);
  std::string third = numpys_own();
  third[6] = 3;
  put(third);
  EXPECT_THROW(read_npy(file()), DataError);
}

TEST_F(Npy, RefusesDamagedAndForeignFilesWithDataErrors) {
  const std::string good = numpys_own();
  for (std::size_t length = 0; length < good.size(); length += 7) {
    put(good.substr(0, length));
    EXPECT_THROW(read_npy(file()), DataError) << length;
  }
  put(good + "x");
  EXPECT_THROW(read_npy(file()), DataError);
  for (const auto* dict : {"{'descr': '>i8', 'fortran_order': False, 'shape': (2, 3), }",
                           "{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3), }",
                           "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }",
                           "{'fortran_order': False, 'shape': (2, 3), }",
                           "{'descr': '<i8', 'fortran_order': False, 'shape': (9223372036854775807, 3), }",
                           "{'descr': '<i8', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296), }",
                           "{'descr': '<i8', 'fortran_order': False, 'shape': (2, -3), }",
                           "{'descr': '<i8', 'fortran_order': False, 'shape': 6, }"}) {
    put(numpys_own(dict));
    EXPECT_THROW(read_npy(file()), DataError) << dict;
  }
}

TEST_F(Npy, WritesFloat32AndInt64Only) {
  EXPECT_THROW(write_npy(real_files(), file(), torch::zeros({2}, torch::kFloat64)), ConfigError);
}

}  // namespace
}  // namespace facemae
