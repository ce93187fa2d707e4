#pragma once
// What a training step needs to know of the thing it trains: how faces pass through it, and what compares them.
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/tensors/snapshot.h"
#include "data/image/image.h"
#include "evaluation/verification/verification.h"
#include "trainer/step/coupling.h"
#include "trainer/step/faces.h"
#include "trainer/step/gradient_buckets.h"

namespace facemae {

class World;

/// A figure of the step: each rank holds its share, the shares sum to the figure.
struct Metric {
  std::string name;
  torch::Tensor share;  ///< scalar, no gradient
};

/// This rank's class centres, where the task has classes.
struct Classes {
  torch::Tensor centres;  ///< [own classes, values of an embedding]; undefined: no classes
  ClassTensor at;         ///< their place among all
  std::int64_t virtual_shards = 0;
  std::uint64_t logit_bytes = 0;  ///< of a buffer of logits, at most
};

/// d loss / d centres of a step, of the centres that took part in it.
struct ClassGradient {
  torch::Tensor
      rows;  ///< int64 [k], own class rows, ascending, without repetition, on the device; undefined: all
  torch::Tensor values;  ///< [k, values of an embedding]; undefined: the task has no classes
};

/// All ranks call every member in the same order.
class Task {
 public:
  virtual ~Task() = default;
  /// Trained parameters that are replicated, in forward order.
  virtual std::vector<Parameter> parameters() = 0;
  virtual Classes classes() { return {}; }
  /// After the last backward pass of a step, until the next begin().
  virtual ClassGradient class_gradient() { return {}; }

  /// What forward() and couple() read of faces.
  virtual FaceNeeds needs() const { return {}; }

  virtual void begin(std::uint64_t step) = 0;
  /// After begin(), where faces have classes: what FaceSource::prepare() returned.
  virtual void know(std::uint64_t /*step*/, std::vector<std::int64_t> /*labels*/) {}
  /// One part of a micro-batch. Called without gradients for a look at what is to be compared before the part
  /// itself is computed; figures of the step count only calls with gradients.
  virtual Pass forward(const Faces& faces) = 0;
  /// The loss that compares the faces of all ranks, of all micro-batches of `group` together, and what it wants of
  /// their rows. Asked for when passes have rows.
  virtual Coupled couple(const Group&) { return {}; }
  /// After the optimizer: replicated statistics. Where `skipped`, a float32 scalar on the device, is 1, the update was
  /// not made, and what the forward passes changed is taken back; else it is 0.
  virtual void end(const torch::Tensor& /*skipped*/) {}

  virtual std::vector<Metric> metrics() = 0;  ///< of the last step
  /// Adds model tensors under "model." and class rows.
  virtual void state(Snapshot& snapshot) = 0;
  virtual std::string kind() const = 0;  ///< names the model: a checkpoint of another is refused

  bool measured =
      true;  ///< a line of metrics follows the step that begins: figures that nothing else needs are wanted
  bool compares_whole_batch = false;  ///< couple() wants all micro-batches of a step at once
  std::int64_t faces_per_row = 1;     ///< faces that Pass::rows has one row for; it divides every part
  // Of losses, and part of RunState: float64 scalars on the device; undefined where the task has none.
  torch::Tensor automatic_weight, linkage_weight;
};

// What a task can do beside training, for those who watch a run.
class PictureMaker {
 public:
  virtual ~PictureMaker() = default;
  /// Shows what the model does with these faces.
  virtual Image picture(const Faces& faces) = 0;
};
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// All ranks, before evaluate(). Opens what it measures on and looks at all of it; `trained_on` has the hashes of the
  /// identities of the run. What cannot be used is refused with an AgreedError that names all of it; in a run that has
  /// a checkpoint it is a warning, and a failure of each evaluation.
  virtual void open_sets(World& world, const torch::Tensor& trained_on, bool begun) = 0;
  /// All ranks. Measures the model on sets kept apart from training, and leaves its state as it was. A set that cannot
  /// be read is a failure in its result, on all ranks.
  virtual std::vector<Evaluated> evaluate(World& world) = 0;
};

}  // namespace facemae
