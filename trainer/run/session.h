#pragma once
// One start of a training run, from a configuration to an outcome.
#include <functional>
#include <string>

#include "cluster/world/world.h"
#include "data/store/store.h"
#include "trainer/config/run_config.h"
#include "trainer/files/run_folder.h"
#include "trainer/run/make_task.h"

namespace facemae {

/// Builds the model and its task for a store, from the weights `init` unless it is ""; must give the same on
/// every rank and not communicate. Throws ConfigError.
using MakeTask = std::function<TrainingTask(const Store& store, World& world, const std::string& init)>;

/// All ranks. Opens the store, agrees on plan and configuration, resumes from the newest valid checkpoint,
/// trains, commits and leaves outcome.json. Throws AgreedError when all ranks know of the failure, else
/// whatever failed here alone.
Outcome run_training(World& world, const RunConfig& config, const ConfigText& config_text,
                     const MakeTask& make_task);

}  // namespace facemae
