#pragma once
// Do all ranks still hold the same weights and moments? Where the same arithmetic was done on the same
// numbers, a difference is silent data corruption: a processor, memory or a link that errs without saying so.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/tensors/snapshot.h"
#include "cluster/host/control.h"
#include "model/common/tensor_digest.h"

namespace facemae {

class ReplicaCheck {
 public:
  /// All ranks. Every `every` steps, 0 never; `snapshot` and `control` must outlive this. Ranks that compute on
  /// different processors or with different numbers of threads, or on accelerators of different models, round
  /// differently: then nothing is compared, with a warning. `accelerator` is the model of this rank's, "" of a CPU.
  ReplicaCheck(const Snapshot& snapshot, Control& control, std::uint64_t every,
               const std::string& accelerator = "");
  /// Every so many steps, and before a save: what is corrupt must not be committed.
  bool due(std::uint64_t done, bool saves) const { return every_ > 0 && (saves || done % every_ == 0); }
  /// All ranks. Compares XXH3-128 hashes of the replicated tensors, of those on a device TensorDigests that are made
  /// there, in the time it takes to read them once. Throws AgreedError (75, "ReplicasDiffer") that names the ranks that
  /// differ from the majority, and the tensors.
  void compare(std::uint64_t done) const;

 private:
  const Snapshot& snapshot_;
  Control& control_;
  std::uint64_t every_;
  std::optional<TensorDigest> digest_;  ///< for tensors on a device
};

/// The ranks whose text is not that of more than half of all; all ranks when no text is;
/// none when all are equal.
std::vector<int> odd_ranks(const std::vector<std::string>& of_ranks);

}  // namespace facemae
