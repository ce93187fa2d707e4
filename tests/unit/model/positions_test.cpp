#include "model/positions.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

TEST(Positions, EncodeTheColumnFirstAndThenTheRow) {
  const auto table = sincos_positions(8, 3);
  ASSERT_EQ(table.sizes(), (std::vector<std::int64_t>{1, 10, 8}));
  EXPECT_EQ(table[0][0].abs().sum().item<float>(), 0) << "cls has a position";
  const auto at = table[0][1 + 2 * 3 + 1];  // row 2, column 1
  const double expected[] = {std::sin(1.0), std::sin(0.01), std::cos(1.0), std::cos(0.01),
                             std::sin(2.0), std::sin(0.02), std::cos(2.0), std::cos(0.02)};
  for (int i = 0; i < 8; ++i) EXPECT_NEAR(at[i].item<float>(), expected[i], 1e-7) << i;
  EXPECT_THROW(sincos_positions(6, 3), ConfigError);
}

TEST(Positions, StayTheSameOnTheSameGrid) {
  const auto table = sincos_positions(16, 4);
  EXPECT_TRUE(torch::equal(resize_positions(table, 4), table));
}

TEST(Positions, KeepALinearRampAndTheClsRowOnAnotherGrid) {
  // Bicubic interpolation reproduces a ramp away from the borders: value 2 * row + 3 * column, half-pixel
  // centres.
  auto table = torch::zeros({1, 1 + 64, 4});
  table[0][0].fill_(9);
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 8; ++column) table[0][1 + row * 8 + column].fill_(2.0 * row + 3.0 * column);
  const auto resized = resize_positions(table, 16);
  ASSERT_EQ(resized.sizes(), (std::vector<std::int64_t>{1, 1 + 256, 4}));
  EXPECT_TRUE(torch::equal(resized[0][0], table[0][0]));
  for (int row = 4; row < 12; ++row)
    for (int column = 4; column < 12; ++column) {
      const double y = (row + 0.5) / 2 - 0.5, x = (column + 0.5) / 2 - 0.5;
      EXPECT_NEAR(resized[0][1 + row * 16 + column][3].item<float>(), 2 * y + 3 * x, 1e-4);
    }
  EXPECT_EQ(grid_of_positions(resized), 16);
}

TEST(Positions, RefuseATableOfNoSquareGrid) {
  EXPECT_THROW(resize_positions(torch::zeros({1, 1 + 12, 4}), 4), ConfigError);
  EXPECT_THROW(resize_positions(torch::zeros({1, 1, 4}), 4), ConfigError);
}

}  // namespace
}  // namespace facemae
