#pragma once
// SGD with momentum and AdamW on flat buckets.
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/tensors/snapshot.h"
#include "trainer/step/gradient_buckets.h"

namespace facemae {

struct OptimizerConfig {
  std::string kind = "adamw";  ///< adamw | sgd
  double weight_decay = 0.05;
  double momentum = 0.9;                         ///< sgd: v = momentum v + g + decay w; w -= lr v
  bool nesterov = false;                         ///< sgd: w -= lr (g + decay w + momentum v)
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;  ///< adamw (Loshchilov and Hutter 2019, arXiv 1711.05101)
  /// sgd in one pass over memory instead of four. The last bits differ: runs of version 0.1.0 go on without, and so
  /// does --exact, because the bits of the fused kernel may depend on where in a flat a value lies.
  bool fused = true;
};

/// What is known on the device alone, so that the host need not wait for it.
struct OnDevice {
  torch::Tensor found_inf;  ///< float32 scalar, the same on all ranks; 1: nothing is changed; undefined: 0
  torch::Tensor clip;       ///< scalar, factor of the replicated parameters' gradients; undefined: 1
};

/// What the kernels of an optimizer move without its buckets.
struct Beside {
  torch::Tensor values, gradients, first, second;  ///< second: AdamW only
  double weight_decay = 0;
};

class Optimizer {
 public:
  Optimizer(const OptimizerConfig& config, GradientBuckets& buckets);
  /// With a sharded optimizer: all ranks.
  void step(double learning_rate, const OnDevice& on_device = {});
  /// After step(), of whose count it is: values of this rank alone, whose gradients are neither reduced nor clipped.
  void step_beside(const Beside& own, double learning_rate, const torch::Tensor& found_inf);
  /// Adds the moments, per parameter, under "optimizer.<moment>.<parameter>", and the step count.
  void add_to(Snapshot& snapshot);

  const OptimizerConfig& config() const { return config_; }

  std::uint64_t moment_bytes() const;  ///< of the replicated parameters, as this rank holds them

  // Each rank of a sharded optimizer holds the moments of its own parts. What add_to() refers to are whole moments, whose
  // memory is taken by gather() and given back by step(), if not before: checkpoints know nothing of parts.
  void gather();     ///< all ranks, before the snapshot is read or written
  void take_own();   ///< after the snapshot was written to: the moments are what it holds
  void give_back();  ///< once the copies are enqueued on a device, or made: the snapshot has no whole moments

 private:
  struct Flat {
    torch::Tensor values, gradients, first, second;  ///< second: AdamW only
    double weight_decay;
    torch::Tensor whole_first, whole_second;  ///< `first` and `second` unless sharded
  };
  /// The flats of one weight decay, for kernels that take lists.
  struct Lists {
    std::vector<torch::Tensor> values, gradients, first, second, steps;
    double weight_decay;
  };
  void step_lists(const Lists& lists, double learning_rate, const std::optional<torch::Tensor>& found_inf);
  void step_adamw(const Lists& lists, double learning_rate, const std::optional<torch::Tensor>& found_inf);
  void step_sgd(const Lists& lists, double learning_rate, const std::optional<torch::Tensor>& found_inf);
  template <class Change>
  void for_each_whole(Change change);

  OptimizerConfig config_;
  GradientBuckets& buckets_;
  std::vector<Flat> flats_;  ///< one per bucket
  std::vector<Lists> lists_;
  torch::Tensor steps_;  ///< float32 scalar: steps done
  bool gathered_ = false;
};

}  // namespace facemae
