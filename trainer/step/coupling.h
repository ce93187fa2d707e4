#pragma once
// How the work of a step is divided over the ranks, and how losses that compare the faces of all ranks are computed
// outside the graph: forward passes give rows, all ranks together find what the loss wants of them, and that gradient
// goes back through the network.
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cluster/tensors/alone.h"
#include "cluster/tensors/tree_sum.h"

namespace facemae {

/// Each rank computes all its rows of a micro-batch at once, and sums are all-reduces; or (--exact) each slot of fixed
/// rows is computed alone, whoever owns it, and slots are summed in a fixed tree, so that results have the same bits on
/// any number of ranks. A value; `ranks` must outlive it and its copies.
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
  torch::Tensor share_of_sum(const std::vector<torch::Tensor>& of_parts) const;
  /// Of a coupled loss, which a rank holds for its own rows, or whole where it computes all of it.
  torch::Tensor share_of_coupled(const torch::Tensor& figure) const;
  /// Of figure / count, where every rank holds the same figure.
  torch::Tensor share_of_common(const torch::Tensor& figure, double count) const;

 private:
  Parts(Communicator& ranks, std::optional<TreeSum> tree) : ranks_(&ranks), tree_(std::move(tree)) {}
  Communicator* ranks_;
  std::optional<TreeSum> tree_;
};

/// What one part's forward pass gives.
struct Pass {
  torch::Tensor loss;  ///< its own share of the step's loss, with its graph; undefined: none
  torch::Tensor
      rows;  ///< [b, D], what is compared with the rows of others, with their graph; undefined: nothing
  torch::Tensor reference;  ///< [b, ...], what the comparison is measured against, no graph
  torch::Tensor draws;      ///< [b], random numbers that the comparison wants; undefined: none
  torch::Tensor output;     ///< where the gradients of both losses can be compared
};

/// The passes of one micro-batch on this rank, one for each own part.
struct Passes {
  std::vector<Pass> parts;
  std::vector<std::int64_t> rows_of_rank;  ///< of the micro-batch: rows of Pass::rows
  int micro = 0;
};
/// Micro-batches whose faces are compared with each other.
using Group = std::vector<Passes>;

/// d coupled loss / d rows [b, D], of each micro-batch of a group and each own part.
using Cotangents = std::vector<std::vector<torch::Tensor>>;
struct Coupled {
  Cotangents wanted;
  torch::Tensor loss;  ///< scalar that is finite when the loss is; no gradient
};

/// The rows of a group as the coupled loss sees them: a rank's own, micro-batch by micro-batch, of which it computes
/// its share of the loss; or (--exact) those of all ranks, of which every rank computes all of it.
class Coupling {
 public:
  using Member = torch::Tensor Pass::*;
  /// All ranks. Where all rows are needed they are gathered here, for each micro-batch in the order of `members`.
  Coupling(const Parts& parts, const Group& group, std::span<const Member> members);

  torch::Tensor rows(Member member) const;  ///< [n, ...], no graph
  /// What computes the loss together, and how many rows each of them holds.
  Communicator& ranks() { return parts_.exact() ? alone_ : parts_.ranks(); }
  const std::vector<std::int64_t>& rows_of_rank() const { return rows_of_rank_; }
  std::int64_t total() const;  ///< rows of all ranks

  /// A gradient [n, D] of rows(), cut up for own parts.
  Cotangents spread(const torch::Tensor& gradient) const;

 private:
  const Parts& parts_;
  const Group& group_;
  std::vector<std::pair<Member, std::vector<torch::Tensor>>> of_micro_;
  std::vector<std::int64_t> rows_of_rank_;
  AloneCommunicator alone_;
};

}  // namespace facemae
