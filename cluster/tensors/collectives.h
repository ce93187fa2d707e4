#pragma once
// Differentiable functions over a communicator. One rule (docs/ARCHITECTURE.md, "Shares and sums"):
// each rank's loss is its share of one global scalar, so backward SUMS cotangents over the ranks;
// nothing is averaged.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cluster/tensors/communicator.h"

namespace facemae {

/// Rows of every rank on their way to all, without a graph: what is computed between the constructor and all() hides
/// the journey. All ranks, same order. They travel as `carried`, a type of fewer bits if need be.
class ArrivingRows {
 public:
  ArrivingRows(const torch::Tensor& local, Communicator& ranks, std::span<const std::int64_t> rows_of_rank,
               torch::ScalarType carried);
  torch::Tensor all();  ///< [sum(rows_of_rank), ...] of the local rows' type; waits

 private:
  std::vector<std::int64_t> rows_of_rank_;
  torch::ScalarType type_;
  torch::Tensor padded_;
  Work work_;
};

/// Rows of every rank, in rank order: local [rows_of_rank[rank], ...] -> [sum(rows_of_rank), ...]. Ranks may
/// hold unequal numbers of rows, also none; all know all numbers. Backward (reduce_scatter) sums the ranks'
/// cotangents for our rows. All ranks, same order, forward and backward. Rows travel as `carried` if it is given,
/// on one rank, too, so that results do not depend on the number of ranks; cotangents travel in full.
torch::Tensor gather_rows(const torch::Tensor& local, Communicator& ranks,
                          std::span<const std::int64_t> rows_of_rank,
                          std::optional<torch::ScalarType> carried = {});

/// What the backward of gather_rows() does, by itself: the sum over the ranks of their cotangents [sum(rows_of_rank), ...]
/// of our rows, [rows_of_rank[rank], ...]. No gradients. All ranks, same order.
torch::Tensor sum_to_owner(const torch::Tensor& cotangent, Communicator& ranks,
                           std::span<const std::int64_t> rows_of_rank);

/// Sum of the ranks' tensors, the same on every rank; backward sums the cotangents too.
/// All ranks, same order.
torch::Tensor all_sum(const torch::Tensor& local, Communicator& ranks);

}  // namespace facemae
