#pragma once
// What the loop needs to know of the thing it trains.
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/tensors/snapshot.h"
#include "core/error.h"
#include "core/files/files.h"
#include "data/image/image.h"
#include "evaluation/verification.h"
#include "trainer/step/faces.h"
#include "trainer/step/gradient_buckets.h"

namespace facemae {

class World;

/// A figure of the step: each rank holds its share, the shares sum to the figure.
struct Metric {
  std::string name;
  torch::Tensor share;  ///< scalar, no gradient
};

/// All ranks call every member in the same order.
class Task {
 public:
  virtual ~Task() = default;
  /// Trained parameters that are replicated, in forward order.
  virtual std::vector<Parameter> parameters() = 0;
  /// This rank's class centres, or undefined.
  virtual torch::Tensor centres() { return {}; }
  virtual ClassTensor centres_at() { return {}; }
  virtual std::int64_t virtual_shards() const { return 0; }

  virtual void begin_step(std::uint64_t step) = 0;
  /// True when the step needs to see all its micro-batches before the first backward.
  virtual bool two_passes() const { return false; }
  virtual void observe(const Faces&) {}  ///< first pass, no gradients
  virtual void observed_all() {}
  /// This rank's share of the whole step's loss, from one micro-batch.
  virtual torch::Tensor loss_share(const Faces& faces) = 0;
  /// --exact, in place of loss_share: for each of our slots of a micro-batch a scalar whose gradient is the
  /// slot's part of the step's gradient. Class centres get theirs at once.
  virtual std::vector<torch::Tensor> slot_losses(const std::vector<Faces>&) {
    throw Error("this task has no exact step");
  }
  /// The update was skipped: takes back what the forward pass changed.
  virtual void undo_step() {}
  virtual void end_step() {}                  ///< after the optimizer: replicated statistics
  virtual std::vector<Metric> metrics() = 0;  ///< of the last step

  /// Model tensors under "model.", class rows, and what else a resume needs.
  virtual void add_to(Snapshot& snapshot) = 0;
  virtual double automatic_weight() const { return 0; }  ///< part of RunState
  virtual void set_automatic_weight(double) {}
  virtual std::string kind() const = 0;  ///< names the model: a checkpoint of another is refused
  /// Measures the model on sets kept apart from training. Leaves its state as it was.
  virtual std::vector<Evaluated> evaluate(World&) { return {}; }
  /// A picture of what the model does with these faces, or an empty one.
  virtual Image picture(const Faces&) { return {}; }
};

}  // namespace facemae
