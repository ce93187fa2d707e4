#pragma once
// How much memory a run takes on one rank, found by a step of few faces before it begins.
#include <cstdint>

#include "checkpoint/tensors/snapshot.h"
#include "data/loader/loader.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"
#include "trainer/step/task.h"

namespace facemae {

/// Bytes of this rank.
struct MemoryNeed {
  std::uint64_t weights = 0;    ///< replicated, with statistics
  std::uint64_t gradients = 0;  ///< with what travels in another format, and with --exact those of own slots
  std::uint64_t moments = 0;    ///< of replicated weights
  std::uint64_t centres = 0;    ///< own class rows with what the optimizer keeps of each, and the gradient
  std::uint64_t logits = 0;     ///< float32 [images of the micro-batch on all ranks, own classes], once
  std::uint64_t activations = 0;  ///< all else that a step allocates at its peak
  std::uint64_t checkpoint = 0;   ///< host memory from the first save on: what this rank writes
  std::uint64_t in_step() const { return weights + gradients + moments + centres + logits + activations; }
};

/// What is to be trained, before the first step.
struct Prepared {
  Task& task;
  GradientBuckets& gradients;
  GradientSums& sums;
  const Optimizer& optimizer;
  const Snapshot& snapshot;
};

/// All ranks of a run whose batches are cut up by `plan` and whose images have `side` pixels. Computes the gradients of
/// micro-batches of 4 and 8 rows a rank or slot, noise, and takes what they need in proportion to the rows; weights
/// stay, gradients and statistics do not.
MemoryNeed memory_need(const Prepared& run, const BatchPlan& plan, int side, std::int64_t classes, int rank);

}  // namespace facemae
