#pragma once
// What a checkpoint holds of a run, and how a start goes on from one.
#include <torch/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/tensors/store.h"
#include "cluster/host/agree.h"
#include "core/checksum.h"
#include "trainer/classes/class_optimizer.h"
#include "trainer/files/run_folder.h"
#include "trainer/run/run_input.h"
#include "trainer/run/run_state.h"
#include "trainer/step/optimizer.h"
#include "trainer/step/task.h"

namespace facemae {

/// References to everything that a checkpoint holds.
Snapshot snapshot_of(Task& task, Optimizer& optimizer, const ClassOptimizer& class_optimizer,
                     const RunInput& input, torch::Tensor identities);

/// The replicated tensors that every rank holds itself: of a sharded optimizer not the moments.
Snapshot alike_on_all_ranks(const Snapshot& snapshot, bool sharded);

/// Of all replicated tensors: what every rank must have alike.
Hash128 hash_of(const Snapshot& snapshot);

/// Checkpoints throw these on all ranks together.
template <class Call>
auto known_to_all(Call&& call) {
  try {
    return call();
  } catch (const ConfigError& error) {
    throw AgreedError(error.what(), ExitCode::BadConfiguration, "ConfigError");
  } catch (const Unresumable& error) {
    throw AgreedError(error.what(), ExitCode::DoNotRequeue, "Unresumable");
  }
}

/// All ranks. Starts from the newest valid checkpoint; returns the steps done. Throws AgreedError when its
/// settings or its store are others than the run's.
std::uint64_t resume(CheckpointStore& checkpoints, Snapshot& into, RunState& state, const RunInput& input,
                     Control& control);

/// All ranks. Has the run committed something already? Then it needs no initial weights any more.
bool has_begun(const RunConfig& config, Control& control);

/// Throws Unresumable with their reasons when `limit` starts in a row made no progress (0: never).
void refuse_without_progress(const RunFolder& run, int limit);

/// All ranks, once `options` were read into `config`, before their text is taken. What is left to a run's first start is
/// chosen by `choose` when this is it; a run that has begun goes on with what it has (Option::before).
void settle(Options& options, const RunConfig& config, Control& control, const std::function<void()>& choose);

/// All ranks, before the store is opened: the shards in quarantine according to the newest checkpoint, if
/// there is one.
std::vector<std::size_t> shards_in_quarantine(const RunConfig& config, Control& control);

}  // namespace facemae
