#pragma once
// SGD with momentum and AdamW on flat buckets; class centres, which every rank holds for itself, are a flat
// of their own.
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/tensors/snapshot.h"
#include "trainer/step/gradient_buckets.h"

namespace facemae {

struct OptimizerConfig {
  std::string kind = "adamw";  ///< adamw | sgd
  double weight_decay = 0.05;
  double momentum = 0.9;                         ///< sgd: v = momentum v + g + decay w; w -= lr v
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;  ///< adamw (Loshchilov and Hutter 2019, arXiv 1711.05101)
};

class Optimizer {
 public:
  /// `centres`: this rank's class rows, or undefined. Its gradient is its own: nothing is reduced.
  Optimizer(const OptimizerConfig& config, GradientBuckets& buckets, torch::Tensor centres = {});
  /// `skipped`: a float32 scalar on the device; where it is 1 nothing changes and no step is counted.
  void step(double learning_rate, const torch::Tensor& skipped);
  /// Adds the moments, per parameter, under "optimizer.<moment>.<parameter>", and the step count; centres'
  /// moments as class rows with their place from `centres_at` (a ClassTensor of the weight itself).
  void add_to(Snapshot& snapshot, const ClassTensor* centres_at);

 private:
  struct Flat {
    torch::Tensor values, gradients, first, second;  ///< second: AdamW only
    double weight_decay;
  };
  void step_adamw(Flat& flat, double learning_rate, const torch::Tensor& skipped);
  void step_sgd(Flat& flat, double learning_rate);

  OptimizerConfig config_;
  GradientBuckets& buckets_;
  torch::Tensor centres_;
  std::vector<Flat> flats_;  ///< one per bucket, then the centres
  torch::Tensor steps_;      ///< float32 scalar: steps done
};

}  // namespace facemae
