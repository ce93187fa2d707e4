#pragma once
// Gradients of --exact: every slot has its own, and slots are added in a fixed tree, so that the sum has the same bits
// on any number of ranks.
#include <torch/types.h>

#include <cstddef>
#include <vector>

#include "cluster/tensors/tree_sum.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/stretch_clock.h"

namespace facemae {

/// Replaces the reduction of GradientBuckets, whose layout it takes over. Memory: the gradients once for each own slot.
class SlotGradients final : public GradientSums {
 public:
  /// All ranks. Rank r owns slots [rS/W, (r+1)S/W) of `slots`. `buckets` must outlive this.
  SlotGradients(GradientBuckets& buckets, int slots, Communicator& ranks);
  std::size_t own() const { return static_cast<std::size_t>(slots_.own()); }

  void begin() override;
  void collect(std::size_t slot) override;  ///< counted among our own
  void finish() override;
  double exposed_seconds() override { return exposed_.take(); }

 private:
  GradientBuckets& buckets_;
  TreeSum slots_;
  std::vector<std::vector<torch::Tensor>> flats_;  ///< [own slot][bucket]
  StretchClock exposed_;
};

}  // namespace facemae
