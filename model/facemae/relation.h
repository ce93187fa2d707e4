#pragma once
// Instance relation matching (IRM): how far the mutual relations of a batch's faces move under
// reconstruction. The formulas are in docs/METHOD.md; only the idea is the paper's (arXiv 2205.11090), every
// variant is our choice. b own rows, G rows over all ranks, D embedding width.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cluster/tensors/communicator.h"

namespace facemae {

enum class Relation { Cosine, Distance, Pkt, Similarity, Moments, None };
Relation relation_from(const std::string& name);  ///< cosine | distance | pkt | similarity | moments | none
std::vector<std::string> relation_names();

struct RelationLoss {
  torch::Tensor
      share;  ///< this rank's share; the shares of all ranks sum to the loss. Differentiable in `rebuilt`.
  torch::Tensor
      correlation;  ///< off-diagonal correlation of the two cosine matrices (no gradient), own rows' share
};

/// real, rebuilt [b, D] float32: own rows' embeddings; the real side is detached. `rows_of_rank` sums to G
/// >= 2. All ranks call it, same order, forward and backward. `center` subtracts the global mean embedding of
/// each side first.
RelationLoss relation_share(const torch::Tensor& real, const torch::Tensor& rebuilt, Relation kind,
                            bool center, Communicator& ranks, std::span<const std::int64_t> rows_of_rank);

}  // namespace facemae
