#pragma once
// Rows divided by their Euclidean norms, and the way back of their gradients without a graph.
#include <torch/types.h>

namespace facemae {

/// What rows are divided by at least.
inline constexpr double kLeastNorm = 1e-12;

/// Rows [.., D] divided by their Euclidean norms (at least kLeastNorm).
torch::Tensor unit_rows(const torch::Tensor& x);

/// The same of rows [n, D] whose gradient will be asked for.
class UnitRows {
 public:
  explicit UnitRows(torch::Tensor x);
  const torch::Tensor& rows() const { return rows_; }
  torch::Tensor norms() const { return norms_.squeeze(1); }  ///< [n]
  /// d loss / d x from d loss / d rows(), in whose memory it is made. For the end: rows() are overwritten, too.
  torch::Tensor backward(torch::Tensor of_rows) &&;

 private:
  torch::Tensor x_, norms_, rows_;  ///< norms_ [n, 1]
};

}  // namespace facemae
