#include "model/facemae/positions.h"

#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

/// Sines then cosines of one coordinate: positions [M] -> [M, width], float64.
torch::Tensor sincos(const torch::Tensor& positions, std::int64_t width) {
  const auto half = width / 2;
  const auto omega =
      torch::pow(10000.0, torch::arange(half, torch::kFloat64) / static_cast<double>(half)).reciprocal();
  const auto angle = positions.unsqueeze(1) * omega;
  return torch::cat({angle.sin(), angle.cos()}, 1);
}

}  // namespace

torch::Tensor sincos_positions(std::int64_t width, std::int64_t grid) {
  if (width <= 0 || width % 4 != 0)
    throw ConfigError(fmt::format(
        "making 2-D positions of width {}: two coordinates with a sine and a cosine each need a multiple of 4; "
        "change the model's width.",
        width));
  const auto steps = torch::arange(grid, torch::kFloat64);
  const auto column = steps.repeat({grid}), row = steps.repeat_interleave(grid);
  const auto patches = torch::cat({sincos(column, width / 2), sincos(row, width / 2)}, 1);
  const auto table = torch::cat({torch::zeros({1, width}, torch::kFloat64), patches}, 0);
  return table.unsqueeze(0).to(torch::kFloat32);
}

std::int64_t grid_of_positions(const torch::Tensor& table) {
  const auto rows = table.dim() == 3 && table.size(0) == 1 ? table.size(1) - 1 : -1;
  const auto grid = rows > 0 ? std::llround(std::sqrt(static_cast<double>(rows))) : 0;
  if (rows < 1 || grid * grid != rows)
    throw ConfigError(fmt::format(
        "reading a position table of shape [{}]: expected [1, 1 + n * n, width] of a square grid; "
        "these weights are of another kind of model.",
        fmt::join(table.sizes(), ", ")));
  return grid;
}

torch::Tensor resize_positions(const torch::Tensor& table, std::int64_t grid) {
  const auto old = grid_of_positions(table);
  if (old == grid) return table;
  const auto width = table.size(2);
  const auto image = table.narrow(1, 1, old * old).reshape({1, old, old, width}).permute({0, 3, 1, 2});
  const auto resized = at::upsample_bicubic2d(image, {grid, grid}, /*align_corners=*/false);
  const auto patches = resized.permute({0, 2, 3, 1}).reshape({1, grid * grid, width});
  return torch::cat({table.narrow(1, 0, 1), patches}, 1);
}

}  // namespace facemae
