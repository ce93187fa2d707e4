#pragma once
// Sums over leaves that are spread over ranks, in a fixed tree: the same bits on every rank of every world,
// which no all_reduce gives (docs/ARCHITECTURE.md, "Exactness").
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "cluster/tensors/communicator.h"

namespace facemae {

class TreeSum {
 public:
  /// Rank r holds leaves [bounds[r], bounds[r + 1]); bounds rise from 0 to the number of leaves, 1 or more.
  /// A rank may hold none.
  TreeSum(std::vector<std::int64_t> bounds, Communicator& ranks);
  std::int64_t first() const;  ///< of this rank's leaves
  std::int64_t own() const;    ///< how many they are

  /// Gives a leaf, numbered among all; asked once for each own leaf, in ascending order. Of the type and
  /// number of elements of the result; read only, and asked for
  /// without gradients.
  using Leaf = std::function<torch::Tensor(std::int64_t)>;
  /// Writes the sum (or the largest values; NaN wins) of all leaves into `result`, contiguous. An all_gather
  /// of at most 2 log2(leaves) nodes a rank. No gradients. All ranks, same order, equal shapes.
  void sum(torch::Tensor result, const Leaf& leaf) const;
  void maximum(torch::Tensor result, const Leaf& leaf) const;

 private:
  using Combine = torch::Tensor (*)(const torch::Tensor&, const torch::Tensor&);
  void reduce(torch::Tensor& result, const Leaf& leaf, Combine op) const;
  std::vector<std::int64_t> bounds_;
  Communicator& ranks_;
};

}  // namespace facemae
