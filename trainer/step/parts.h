#pragma once
// How the work of a step is divided over the ranks and put together again: each rank computes all its rows at once,
// and sums are all-reduces; or (--exact) each slot of fixed rows is computed alone, whoever owns it, and slots are
// summed in a fixed tree, so that results have the same bits on any number of ranks.
#include <torch/types.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "cluster/tensors/tree_sum.h"

namespace facemae {

/// A value; `ranks` must outlive it and its copies.
class Parts {
 public:
  static Parts of_ranks(Communicator& ranks) { return Parts(ranks, std::nullopt); }
  /// Rank r owns slots [rS/W, (r+1)S/W) of the `slots` of each micro-batch.
  static Parts of_slots(int slots, Communicator& ranks);

  bool exact() const { return tree_.has_value(); }
  std::size_t own() const { return tree_ ? static_cast<std::size_t>(tree_->own()) : 1; }
  Communicator& ranks() const { return *ranks_; }

  /// The sum over the parts of all ranks, from one tensor for each own part. All ranks, and the same on each.
  torch::Tensor sum(const std::vector<torch::Tensor>& of_parts) const;

  // Shares, as metrics want them: over the ranks they sum to the figure.
  /// Of what sum() would give.
  torch::Tensor share_of_sum(const std::vector<torch::Tensor>& of_parts) const;
  /// Of a coupled loss (coupling.h), which a rank holds for its own rows, or whole where it computes all of it.
  torch::Tensor share_of_coupled(const torch::Tensor& figure) const;
  /// Of figure / count, where every rank holds the same figure.
  torch::Tensor share_of_common(const torch::Tensor& figure, double count) const;

 private:
  Parts(Communicator& ranks, std::optional<TreeSum> tree) : ranks_(&ranks), tree_(std::move(tree)) {}
  torch::Tensor of_first_rank(const torch::Tensor& figure) const;

  Communicator* ranks_;
  std::optional<TreeSum> tree_;
};

}  // namespace facemae
