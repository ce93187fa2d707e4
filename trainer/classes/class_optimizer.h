#pragma once
// Moves the class centres, which every rank holds for itself: the rows that a step sampled, or all of them.
#include <torch/types.h>

#include <optional>

#include "checkpoint/tensors/snapshot.h"
#include "trainer/classes/class_rows.h"
#include "trainer/step/optimizer.h"
#include "trainer/step/task.h"

namespace facemae {

struct ClassUpdateConfig {
  /// Every row decays and moves each step, the unsampled ones with a gradient of 0: arcface_torch since 2022. Otherwise
  /// rows that were not sampled keep their bits, without decay and without coasting on momentum: arcface_torch before.
  /// Where all rows are sampled, sgd gives the same bits in both ways.
  bool dense = false;
  double rate = 1;                     ///< learning rate of the centres over that of all else
  std::optional<double> weight_decay;  ///< nothing: as all else
};

/// Beside the centres it holds a row of them with sgd, and with adamw two, with a count for each class unless dense. No
/// step touches, copies or allocates for rows that do not move. On GPUs no value is read from the device.
class ClassOptimizer {
 public:
  /// `centres` [own classes, width] is contiguous; undefined: the task has no classes, and no call does anything. Kind
  /// and constants of the update are those of `replicated`, which must outlive this.
  ClassOptimizer(const ClassUpdateConfig& config, Optimizer& replicated, const torch::Tensor& centres);

  /// After the step of the replicated optimizer, with the same learning rate; gradients are not clipped. Where `found_inf`
  /// (OnDevice) is 1, nothing is changed.
  void step(double learning_rate, const ClassGradient& gradient, const torch::Tensor& found_inf = {});

  /// Adds what it holds as class rows, under "optimizer.<moment>.<name of the weight>" and, int32 [own], under
  /// "optimizer.steps.<name>"; their place is that of the weight itself.
  void add_to(Snapshot& snapshot, const ClassTensor& weight) const;

 private:
  void step_all(double rate, const ClassGradient& gradient, const torch::Tensor& found_inf);

  ClassUpdateConfig config_;
  Optimizer& replicated_;
  OptimizerConfig rule_;
  ClassRows rows_;
};

}  // namespace facemae
