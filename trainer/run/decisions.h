#pragma once
// What all ranks decide on the steps of a run. On CPUs a step's decision is known at once. On accelerators it is made on
// the device, where the update obeys it, and the hosts learn of it a step later, so that none waits for its device.
#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <optional>

#include "cluster/host/control.h"
#include "cluster/tensors/communicator.h"
#include "trainer/run/vote.h"
#include "trainer/step/reading.h"

namespace facemae {

struct Decision {
  std::uint64_t step = 0;  ///< steps done with it
  Vote vote;               ///< of all ranks
  double gradient_norm = 0;
};

class Decisions {
 public:
  /// Both must outlive it. `late`: by the device, through `ranks`, which carry the gradients; otherwise hosts ask over
  /// `control`.
  Decisions(Control& control, Communicator& ranks, bool late)
      : control_(control), ranks_(ranks), late_(late) {}

  /// By how many steps the host is told late.
  std::uint64_t delay() const { return late_ ? 1 : 0; }
  /// Once a step, when its sums were issued: whether this rank's loss and gradients are `finite`, and the gradient's
  /// `norm`, scalars on the device. At once: the host waits for them.
  void see(const torch::Tensor& finite, const torch::Tensor& norm);
  /// All ranks, after see(). `own.not_finite` is of no account. At once: throws PeerLost unless all sums have ended
  /// well.
  void cast(std::uint64_t step, Vote own);
  /// Of the step that was cast on last: float32 scalar on the device, 1 where all ranks skip its update, else 0.
  const torch::Tensor& skipped() const { return skipped_; }
  /// The oldest decision that was not told yet and is due: those older than the delay, with `settle` all. Throws PeerLost
  /// when a peer is known to be lost, whose sums are not to be believed then.
  std::optional<Decision> next(bool settle);

 private:
  struct Pending {
    std::uint64_t step;
    Reading numbers;
  };
  Control& control_;
  Communicator& ranks_;
  bool late_;
  torch::Tensor broken_, norm_;  ///< [1] float32
  torch::Tensor skipped_;
  std::optional<Decision> known_;
  std::deque<Pending> pending_;
};

}  // namespace facemae
