#pragma once
// What a run trains on, as a session sees it: a store, or what lies in memory already.
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/world/world.h"
#include "core/random/secret.h"
#include "data/store/store.h"
#include "trainer/config/run_config.h"
#include "trainer/run/make_task.h"
#include "trainer/step/step.h"

namespace facemae {

/// Alike on all ranks.
struct RunInput {
  RunConfig config;          ///< with all that was chosen when the input was opened
  std::string config_text;   ///< of it: what checkpoints keep, and a later start is compared with
  std::uint64_t images = 0;  ///< of an epoch
  std::string digest;        ///< of what is trained on: a run goes on with nothing else
  std::optional<SecretKey> people_key = {};  ///< what names are hashed with
  /// Null when the input lies in memory: then there are neither a dry run nor sample pictures.
  std::shared_ptr<const Store> store = {};

  /// The model and its task, from the weights `init` unless it is "". Does not communicate. Throws ConfigError.
  std::function<TrainingTask(const std::string& init)> make_task;
  /// Hashes of whom the run is trained on (trainer/input/training_identities.h). Does not communicate.
  std::function<torch::Tensor(const std::string& init)> identities;
  /// All ranks: from `first_step` on, without what a checkpoint says is in quarantine; what the task needs of it. This
  /// must outlive it.
  std::function<std::unique_ptr<Supply>(std::uint64_t first_step, const std::vector<Quarantined>& quarantined,
                                        const FaceNeeds& needs)>
      supply;
};

/// Builds the model and its task for a store, from the weights `init` unless it is ""; must give the same on
/// every rank and not communicate. Throws ConfigError.
using MakeTask = std::function<TrainingTask(const Store& store, World& world, const std::string& init)>;

/// All ranks: opens the store of a configuration. Throws as open_training_store() does.
RunInput open_run_store(World& world, const RunConfig& config, const ConfigText& config_text,
                        const MakeTask& make_task);

}  // namespace facemae
