#include "model/facemae/positions.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <algorithm>
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

/// Keys' cubic convolution with a = -0.75, which is what PyTorch's bicubic interpolation uses.
double cubic(double t) {
  constexpr double a = -0.75;
  t = std::abs(t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

TEST(Positions, AreInterpolatedBicubicallyWithoutTheClsRow) {
  constexpr int old = 5, grid = 8;
  const auto value = [](int row, int column) { return std::sin(1.3 * row) + 0.2 * column * column; };
  auto table = torch::zeros({1, 1 + old * old, 4});
  table[0][0].fill_(9);
  for (int row = 0; row < old; ++row)
    for (int column = 0; column < old; ++column) table[0][1 + row * old + column].fill_(value(row, column));
  const auto resized = resize_positions(table, grid);
  ASSERT_EQ(resized.sizes(), (std::vector<std::int64_t>{1, 1 + grid * grid, 4}));
  EXPECT_TRUE(torch::equal(resized[0][0], table[0][0]));
  for (int row = 0; row < grid; ++row)
    for (int column = 0; column < grid; ++column) {
      // Half-pixel centres (align_corners false); beyond the border the border's values.
      const double y = (row + 0.5) * old / grid - 0.5, x = (column + 0.5) * old / grid - 0.5;
      double expected = 0;
      for (int i = static_cast<int>(std::floor(y)) - 1; i <= std::floor(y) + 2; ++i)
        for (int k = static_cast<int>(std::floor(x)) - 1; k <= std::floor(x) + 2; ++k)
          expected +=
              cubic(y - i) * cubic(x - k) * value(std::clamp(i, 0, old - 1), std::clamp(k, 0, old - 1));
      EXPECT_NEAR(resized[0][1 + row * grid + column][3].item<float>(), expected, 1e-5)
          << row << ' ' << column;
    }
  EXPECT_EQ(grid_of_positions(resized), grid);
}

TEST(Positions, RefuseATableOfNoSquareGrid) {
  EXPECT_THROW(resize_positions(torch::zeros({1, 1 + 12, 4}), 4), ConfigError);
  EXPECT_THROW(resize_positions(torch::zeros({1, 1, 4}), 4), ConfigError);
}

}  // namespace
}  // namespace facemae
