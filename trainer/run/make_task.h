#pragma once
// From configurations to the tasks that run_training() trains.
#include <memory>
#include <string>

#include "cluster/world/world.h"
#include "data/store/store.h"
#include "trainer/config/run_config.h"
#include "trainer/step/task.h"

namespace facemae {

struct TrainingTask {
  std::unique_ptr<Task> task;
  PictureMaker* pictures = nullptr;  ///< the task, if it makes any
  Evaluator* evaluator = nullptr;    ///< the task, if it evaluates
  double flops_of_image = 0;         ///< forward and backward (trainer/tasks/task_flops.h); 0: unknown
  std::int64_t related_values = 0;   ///< of the embedding by which faces are related; 0: they are not
};

/// Of images of `side` x `side` pixels, on a device of its own among `parts`. Does not communicate. Throws ConfigError.
TrainingTask make_pretraining(const PretrainConfig& config, int side, Parts parts, torch::Device device,
                              const std::string& init);
/// The same on every rank; from the weights `init` unless it is "". Do not communicate. Throw ConfigError.
TrainingTask make_pretraining(const PretrainConfig& config, const Store& store, World& world,
                              const std::string& init);
TrainingTask make_recognition(const RecognizeConfig& config, const Store& store, World& world,
                              const std::string& init);

}  // namespace facemae
