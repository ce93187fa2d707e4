#pragma once
// Differentiable functions over a communicator. One rule (docs/ARCHITECTURE.md, "Shares and sums"):
// each rank's loss is its share of one global scalar, so backward SUMS cotangents over the ranks;
// nothing is averaged.
#include <cstdint>
#include <span>

#include "cluster/tensors/communicator.h"

namespace facemae {

/// Rows of every rank, in rank order: local [rows_of_rank[rank], ...] -> [sum(rows_of_rank), ...]. Ranks may
/// hold unequal numbers of rows, also none; all know all numbers. Backward (reduce_scatter) sums the ranks'
/// cotangents for our rows. All ranks, same order, forward and backward.
torch::Tensor gather_rows(const torch::Tensor& local, Communicator& ranks,
                          std::span<const std::int64_t> rows_of_rank);

/// Sum of the ranks' tensors, the same on every rank; backward sums the cotangents too.
/// All ranks, same order.
torch::Tensor all_sum(const torch::Tensor& local, Communicator& ranks);

}  // namespace facemae
