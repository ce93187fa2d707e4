#pragma once
// One start of a training run, from a configuration to an outcome.
#include <functional>
#include <string>

#include "checkpoint/tensors/snapshot.h"
#include "cluster/world/world.h"
#include "trainer/config/run_config.h"
#include "trainer/files/run_folder.h"
#include "trainer/run/run_input.h"

namespace facemae {

/// All ranks. Opens the store, agrees on plan and configuration, resumes from the newest valid checkpoint,
/// trains, commits and leaves outcome.json. Throws AgreedError when all ranks know of the failure, else
/// whatever failed here alone.
Outcome run_training(World& world, const RunConfig& config, const ConfigText& config_text,
                     const MakeTask& make_task);
/// Puts into the state of a run that begins that of a run of another program; each rank what it holds. Does not communicate.
using Fill = std::function<void(Snapshot& into)>;

/// All ranks. Begins a run `steps` steps after its start, with a state that `fill` gives, and commits that: from there
/// run_training() goes on, on any number of ranks. Throws AgreedError when it has begun already.
Outcome take_over_run(World& world, const RunConfig& config, const ConfigText& config_text,
                      const MakeTask& make_task, std::uint64_t steps, const Fill& fill);

/// The same as run_training() of any input, which `open` opens on all ranks once threads and kernels are settled. Of `given`, machine,
/// run folder and limits count; the rest is the input's.
Outcome run_training(World& world, const RunConfig& given, const std::function<RunInput()>& open);

}  // namespace facemae
