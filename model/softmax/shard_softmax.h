#pragma once
// The margin softmax of --exact: every virtual shard of the classes alone, on tensors of its own, added up in a fixed
// tree, whoever owns the shards.
#include <cstdint>
#include <vector>

#include "cluster/tensors/tree_sum.h"
#include "model/softmax/class_centres.h"
#include "model/softmax/margin_state.h"
#include "model/softmax/softmax_config.h"

namespace facemae {

class ShardSoftmax {
 public:
  /// `centres` must outlive this. All ranks.
  explicit ShardSoftmax(ClassCentres& centres);

  /// embeddings [n, 512], labels [n] and draws [n] (undefined unless the margin draws) of all ranks' rows, the same on
  /// each, all of them classes. Figures are of all rows, the same on every rank. Adds d loss / d centres to the gradient of
  /// the centres. All ranks, same order.
  CoupledSoftmax loss(MarginState& state, const SoftmaxConfig& config, const torch::Tensor& embeddings,
                      const torch::Tensor& labels, const torch::Tensor& draws, double count);

 private:
  ClassCentres& centres_;
  std::vector<std::size_t> shards_;  ///< numbers among this rank's virtual shards of those that hold classes
  TreeSum tree_;                     ///< over the shards of all ranks that hold classes
};

}  // namespace facemae
