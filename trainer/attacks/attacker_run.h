#pragma once
// A training of an attacker as a run like any other: with checkpoints, metrics and an outcome in a folder of its own,
// on any number of ranks. It resumes when it is asked for again, and is not trained again when it is finished.
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/world/world.h"
#include "core/files/files.h"
#include "trainer/attacks/attack_budget.h"
#include "trainer/config/run_config.h"
#include "trainer/run/make_task.h"

namespace facemae {

struct AttackerRun {
  Path folder;  ///< the run gets one in it: NAME-DIGEST, by all that decides what it learns
  std::string name;
  AttackTraining training;
  std::uint64_t seed = 0;
  std::uint64_t save_every = 200;     ///< steps
  bool recognises = false;            ///< the schedule and optimizer of recognition training instead of AdamW
  std::vector<std::string> settings;  ///< further lines "key = value" of its configuration

  torch::Tensor pictures;            ///< [P, 3, H, W] uint8
  std::vector<std::int64_t> labels;  ///< [P] what the task gets with each
  std::int64_t side = 0;             ///< that pictures are resized to; 0: as they are
  std::string digest;                ///< of all that it learns from
  std::function<TrainingTask(const RunConfig&)> make_task;
};

/// All ranks, with the same pictures. The task's networks have learnt when it returns. Only the owner may look into the
/// folder: what lies there links faces of real people. Throws ConfigError for a batch that leaves ranks without
/// pictures, AgreedError (76) when notice came, whatever run_training() throws.
void train_attacker(World& world, const AttackerRun& run);

}  // namespace facemae
