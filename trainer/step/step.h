#pragma once
// The gradient of one training step: the only place where one is made, for training, tests and benchmarks alike.
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "trainer/step/faces.h"
#include "trainer/step/gradient_sums.h"
#include "trainer/step/task.h"

namespace facemae {

/// Where micro-batches come from.
class FaceSource {
 public:
  virtual ~FaceSource() = default;
  /// This rank's next micro-batch, one element for each own part (trainer/step/parts.h).
  virtual std::vector<Faces> next() = 0;
};

struct StepResult {
  torch::Tensor loss;  ///< finite when this rank's losses are; no gradient
};

class Step {
 public:
  /// All must outlive it.
  Step(Task& task, FaceSource& source, GradientSums& sums, int micro_batches)
      : task_(task), source_(source), sums_(sums), micro_batches_(micro_batches) {}

  /// All ranks. Throws PeerLost.
  StepResult compute(std::uint64_t step);

 private:
  Passes forward(const std::vector<Faces>& parts);
  Group observe(int micro_batches, std::vector<std::vector<Faces>>& read);
  Cotangents couple(const Group& group);
  void backward(const Passes& passes, const std::vector<torch::Tensor>& wanted);
  void add(const torch::Tensor& loss);

  Task& task_;
  FaceSource& source_;
  GradientSums& sums_;
  int micro_batches_;
  torch::Tensor loss_;
};

}  // namespace facemae
