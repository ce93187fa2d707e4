#include "evaluation/linkage/row_memory.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error.h"

namespace facemae {
namespace {

torch::Tensor sums(const torch::Tensor& pictures) {
  return pictures.to(torch::kFloat32).flatten(1).sum(1, true);
}

TEST(RowMemory, ComputesEachPictureOnceAndGivesTheRowsOfAll) {
  const auto pictures = torch::randint(0, 256, {6, 3, 4, 4}, torch::kUInt8);
  RowMemory memory;
  std::vector<std::int64_t> asked;
  const RowMemory::Rows make = [&](const torch::Tensor& fresh) {
    asked.push_back(fresh.size(0));
    return sums(fresh);
  };
  const auto twice = torch::cat({pictures.narrow(0, 0, 4), pictures.narrow(0, 1, 2)});
  EXPECT_TRUE(torch::equal(memory.rows_of(twice, make), sums(twice)));
  EXPECT_TRUE(torch::equal(memory.rows_of(pictures.flip({0}), make), sums(pictures.flip({0}))));
  EXPECT_TRUE(torch::equal(memory.rows_of(pictures, make), sums(pictures)));
  EXPECT_EQ(asked, (std::vector<std::int64_t>{4, 2}));
}

TEST(RowMemory, KeepsNothingOfAFailure) {
  const auto pictures = torch::randint(0, 256, {3, 3, 4, 4}, torch::kUInt8);
  RowMemory memory;
  EXPECT_THROW(
      memory.rows_of(pictures, [](const torch::Tensor& fresh) { return sums(fresh).narrow(0, 0, 2); }),
      ConfigError);
  EXPECT_TRUE(torch::equal(memory.rows_of(pictures, sums), sums(pictures)));
}

}  // namespace
}  // namespace facemae
