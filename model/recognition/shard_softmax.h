#pragma once
// Computes the margin softmax of --exact: every virtual shard of the classes alone, on tensors of its own,
// and adds the shards in a fixed tree, whoever owns them.
#include <cstdint>
#include <vector>

#include "cluster/tensors/tree_sum.h"
#include "model/recognition/class_shards.h"

namespace facemae {

class ShardSoftmax {
 public:
  /// `centres` must outlive this, and so must `ranks`, over which they are spread. All ranks.
  ShardSoftmax(ClassCentres& centres, Communicator& ranks);

  /// embeddings [n, 512] and labels [n] of all ranks' rows, the same on each, all of them classes. Figures are of all rows,
  /// the same on every rank. Adds d loss / d centres to the gradient of this rank's centres. All ranks, same order.
  CoupledSoftmax loss(const torch::Tensor& embeddings, const torch::Tensor& labels, const Margin& margin,
                      double count);

 private:
  ClassCentres& centres_;
  std::vector<ClassRange> shards_;  ///< this rank's, without the empty ones
  TreeSum tree_;                    ///< over the shards of all ranks that are not empty
};

}  // namespace facemae
