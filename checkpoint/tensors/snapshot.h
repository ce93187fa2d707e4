#pragma once
// Describes a committed step as one rank sees it.
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace facemae {

/// The same on every rank: weights, moments, statistics. Written once, in slices by different ranks.
struct ReplicatedTensor {
  std::string name;
  torch::Tensor value;
  /// Only the optimizer changes it, so a save may copy it while the next forward and backward pass run.
  bool steady = false;
};
/// Rows of classes: this rank holds [first, first + rows.size(0)) of `total`, whole virtual shards.
struct ClassTensor {
  std::string name;
  torch::Tensor rows;
  std::int64_t first = 0, total = 0;
  bool steady = false;  ///< as above
};

/// Tensors are references to the live ones: save() reads them, restore() writes into them.
struct Snapshot {
  std::uint64_t step = 0, samples = 0;  ///< optimizer steps done, samples consumed
  std::vector<ReplicatedTensor> replicated;
  std::vector<ClassTensor> by_class;
  std::int64_t virtual_shards = 0;  ///< of by_class; 0 when there is none
  std::string run_state;            ///< JSON of the trainer's RunState
  std::string config;               ///< the run's configuration text
  std::string dataset_digest;
  std::string model_hash;        ///< what kind of model: a checkpoint of another one is refused
  std::optional<double> metric;  ///< figure of the model at this step; greater is better: for --keep-best
};

}  // namespace facemae
