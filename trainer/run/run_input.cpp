#include "trainer/run/run_input.h"

#include <torch/torch.h>

#include "trainer/input/feed.h"
#include "trainer/input/training_identities.h"
#include "trainer/input/training_store.h"
#include "trainer/run/resume.h"

namespace facemae {

RunInput open_run_store(World& world, const RunConfig& config, const ConfigText& config_text,
                        const MakeTask& make_task) {
  const auto data = std::make_shared<const TrainingStore>(
      open_training_store(world, config, config_text, shards_in_quarantine(config, world.control())));
  return {
      .config = data->config,
      .config_text = data->config_text,
      .images = data->store->size(),
      .digest = data->store->dataset_digest().hex(),
      .people_key = data->people_key,
      .store = data->store,
      .make_task = [=, &world](const std::string& init) { return make_task(*data->store, world, init); },
      .identities =
          [=](const std::string& init) { return training_identities(*data->store, init, data->people_key); },
      .supply =
          [=, &world](std::uint64_t first_step, const std::vector<Quarantined>& quarantined,
                      const FaceNeeds& needs) {
            return std::make_unique<Feed>(*data, world, first_step, quarantined, needs);
          }};
}

}  // namespace facemae
