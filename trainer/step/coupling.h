#pragma once
// Losses that compare the faces of all ranks, outside the graph: forward passes give rows, all ranks together find what
// the loss wants of them, and that gradient goes back through the network.
#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "cluster/tensors/alone.h"
#include "trainer/step/parts.h"

namespace facemae {

/// What one part's forward pass gives.
struct Pass {
  torch::Tensor loss;  ///< its own share of the step's loss, with its graph; undefined: none
  torch::Tensor
      rows;  ///< [b, D], what is compared with the rows of others, with their graph; undefined: nothing
  torch::Tensor reference;  ///< [b, ...], what the comparison is measured against, no graph
  torch::Tensor output;     ///< where the gradients of both losses can be compared
};

/// The passes of one micro-batch on this rank, one for each own part.
struct Passes {
  std::vector<Pass> parts;
  std::vector<std::int64_t> rows_of_rank;  ///< of the micro-batch
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
  /// All ranks. Where all rows are needed they are gathered here, for each micro-batch in the order of `members`.
  Coupling(const Parts& parts, const Group& group, std::span<torch::Tensor Pass::*const> members);

  torch::Tensor rows(torch::Tensor Pass::*member) const;  ///< [n, ...], no graph
  /// What computes the loss together, and how many rows each of them holds.
  Communicator& ranks();
  const std::vector<std::int64_t>& rows_of_rank() const { return rows_of_rank_; }
  std::int64_t total() const;  ///< rows of all ranks

  /// A gradient [n, D] of rows(), cut up for own parts.
  Cotangents spread(const torch::Tensor& gradient) const;

 private:
  const Parts& parts_;
  const Group& group_;
  std::vector<std::pair<torch::Tensor Pass::*, std::vector<torch::Tensor>>> of_micro_;
  std::vector<std::int64_t> rows_of_rank_;
  AloneCommunicator alone_;
};

}  // namespace facemae
