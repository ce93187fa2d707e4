#include "cluster/mpi/mpi_back_end.h"
#include "cluster/world/world.h"
#include "core/error.h"
#include "tests/forged/use_store.h"
#include "trainer/run/make_task.h"
#include "trainer/run/session.h"

namespace facemae::forged {

Train training() {
  const std::shared_ptr<World> world = World::open({mpi_back_end()}, {});
  return [world](const Path& store, const Path& run) {
    PretrainConfig config;
    config.common.store = store;
    config.common.run = run;
    config.common.steps = 1;
    config.common.batch = 8;
    config.common.threads = 1;
    config.relation = "none";
    const RunConfig common = run_config_of(config);
    const auto text = [](const OrderConfig& /*chosen*/) { return std::string(); };
    run_training(*world, common, text, [&](const Store& opened, World& with, const std::string& init) {
      return make_pretraining(config, opened, with, init);
    });
  };
}

}  // namespace facemae::forged
