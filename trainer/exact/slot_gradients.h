#pragma once
// Gradients of --exact: every slot has its own, and slots are added in a fixed tree, so that the sum has the
// same bits on any number of ranks.
#include <torch/types.h>

#include <cstddef>
#include <vector>

#include "cluster/tensors/tree_sum.h"
#include "trainer/step/gradient_buckets.h"

namespace facemae {

/// Stands in for the reduction of GradientBuckets, whose layout it takes over. Memory: the gradients once for
/// each own slot.
class SlotGradients {
 public:
  /// All ranks. Rank r owns slots [rS/W, (r+1)S/W) of `slots`. `buckets` must outlive this.
  SlotGradients(GradientBuckets& buckets, int slots, Communicator& ranks);
  std::size_t own() const { return static_cast<std::size_t>(slots_.own()); }

  void zero();                     ///< before the first micro-batch
  void collect(std::size_t slot);  ///< the coming backward adds to this slot, counted among our own
  /// After the last backward: the sum over all slots becomes the gradient of the parameters. All ranks.
  void sum();
  double exposed_seconds() const { return exposed_seconds_; }  ///< of the last sum()

 private:
  GradientBuckets& buckets_;
  TreeSum slots_;
  std::vector<std::vector<torch::Tensor>> flats_;  ///< [own slot][bucket]
  double exposed_seconds_ = 0;
};

}  // namespace facemae
