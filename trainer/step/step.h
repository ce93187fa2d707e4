#pragma once
// The gradient of one training step: the only place where one is made, for training, tests and benchmarks alike.
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "data/loader/loader.h"
#include "trainer/step/faces.h"
#include "trainer/step/gradient_sums.h"
#include "trainer/step/stretch_clock.h"
#include "trainer/step/task.h"

namespace facemae {

/// Where micro-batches come from.
class FaceSource {
 public:
  virtual ~FaceSource() = default;
  /// This rank's next micro-batch, one element for each own part (coupling.h).
  virtual std::vector<Faces> next() = 0;
  /// Before the first of a step's micro-batches: looks at the labels of them all (FaceNeeds::classes). Returns those of all
  /// ranks' faces in the step, in the same order on each, where FaceNeeds::labels_of_step asks for them. All ranks.
  virtual std::vector<std::int64_t> prepare(int /*micro_batches*/) { return {}; }
};

/// A run's supply of faces, and what the loop asks of it beside them.
class Supply : public FaceSource {
 public:
  virtual LoaderFigures figures() = 0;  ///< since the last call
  /// True when a shard turned out unreadable on this rank and the ranks have not agreed on it yet.
  virtual bool shard_failed() = 0;
  /// All ranks, when it is true on any: the shards are quarantined from `step` (not begun yet) on everywhere, and the
  /// plan has a new version. Returns all that are quarantined. Throws AgreedError (65) when they hold more of the
  /// images than --max-quarantined.
  virtual std::vector<Quarantined> quarantine_failed(std::uint64_t step) = 0;
};

class Step {
 public:
  /// All must outlive it. `device`: where the task computes, by whose clock waiting is measured.
  Step(Task& task, FaceSource& source, GradientSums& sums, int micro_batches,
       torch::Device device = torch::kCPU)
      : task_(task), source_(source), sums_(sums), micro_batches_(micro_batches), waiting_(device) {}

  /// All ranks. Returns a scalar that is finite when this rank's losses are; no gradient. Throws PeerLost.
  torch::Tensor compute(std::uint64_t step);
  /// Of all steps so far: in the coupled loss and the reduction, where ranks wait for each other. On an accelerator of
  /// those that it is done with.
  double waited_seconds() { return waited_ += waiting_.take(); }

 private:
  std::vector<Faces> next();
  Passes forward(const std::vector<Faces>& parts);
  Group observe(int micro_batches, std::vector<std::vector<Faces>>& read);
  Cotangents couple(const Group& group);
  void backward(const Passes& passes, const std::vector<torch::Tensor>& wanted);
  void add(const torch::Tensor& loss) { loss_ = loss_.defined() ? loss_ + loss : loss; }

  Task& task_;
  FaceSource& source_;
  GradientSums& sums_;
  int micro_batches_;
  torch::Tensor loss_;
  StretchClock waiting_;
  double waited_ = 0;
};

}  // namespace facemae
