#pragma once
// Makes the position tables of the vision transformer: fixed 2-D sine and cosine as in MAE (He et
// al. 2021, util/pos_embed.py).
#include <torch/types.h>

#include <cstdint>

namespace facemae {

/// [1, 1 + grid * grid, width] float32: a zero row for cls, then one row per patch, row by row. The first
/// half of a row encodes the column and the second half the row, each half sines then cosines, base 10000.
/// Throws ConfigError unless 4 divides width.
torch::Tensor sincos_positions(std::int64_t width, std::int64_t grid);

/// Resizes a table [1, 1 + n * n, D] to another grid: bicubic, align_corners false, cls row untouched; -> [1,
/// 1 + grid^2, D].
torch::Tensor resize_positions(const torch::Tensor& table, std::int64_t grid);

/// n of a table [1, 1 + n * n, D]; throws ConfigError when it is not such a table.
std::int64_t grid_of_positions(const torch::Tensor& table);

}  // namespace facemae
