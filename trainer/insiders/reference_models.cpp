#include "trainer/insiders/reference_models.h"

#include <algorithm>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "data/upkeep/store_tools.h"
#include "trainer/input/machine.h"
#include "trainer/run/make_task.h"
#include "trainer/run/session.h"

namespace facemae {
namespace {

/// What belongs to one start on one machine, not to the model.
void forget_the_start(RunConfig& run) {
  run.fresh = run.allow_changes = run.dry_run = false;
  run.stop_after = {};
  run.max_hours = {};
  run.end_time.clear();
  run.data_mode = "shared";
  run.local_dir.clear();
  run.device = run.backend = "auto";
}

}  // namespace

std::vector<std::vector<bool>> halves_of_people(std::int64_t people, int references, std::uint64_t seed) {
  std::vector<std::vector<bool>> halves;
  const auto count = static_cast<std::uint64_t>(people);
  for (int reference = 0; reference < references; ++reference) {
    const Permutation place(count,
                            key_of(seed, Purpose::Split, 11, static_cast<std::uint64_t>(reference / 2)));
    std::vector<bool> half;
    for (std::uint64_t person = 0; person < count; ++person)
      half.push_back((place(person) < count / 2) == (reference % 2 == 0));
    halves.push_back(std::move(half));
  }
  return halves;
}

PretrainConfig read_pretraining(const Path& settings) {
  PretrainConfig config;
  Options options("", "");
  declare(options, config);
  CommonOptions common;
  const std::vector<std::string> words{"--config", settings.string()};
  options.parse(words, common);
  try {
    options.finish();
  } catch (const ConfigError& error) {
    throw ConfigError("training reference models: " + settings.string() +
                      " has not the settings of a pretraining: " + error.what());
  }
  forget_the_start(config.common);
  return config;
}

std::vector<Path> train_references(World& world, const Weights& like, const Store& store,
                                   const ReferenceConfig& config) {
  const auto halves = halves_of_people(store.identities(), config.references, config.seed);
  const Path written = config.folder / "A11-settings.txt";
  PretrainConfig settings;
  together(world.control(), [&] {
    if (like.config.empty())
      throw ConfigError(
          "training reference models like " + like.origin +
          ": it does not say how it was trained; give the run itself, or ask for no references");
    if (!world.control().is_root()) return;
    make_folders(real_files(), config.folder);
    write_durably(real_files(), written, like.config);
  });
  together(world.control(), [&] { settings = read_pretraining(written); });
  std::vector<Path> runs;
  for (std::size_t reference = 0; reference < halves.size(); ++reference) {
    const Path run = config.folder / fmt::format("A11-ref{}", reference);
    const Path people = config.folder / fmt::format("A11-ref{}-people", reference);
    PretrainConfig pretrain = settings;
    RunConfig& common = pretrain.common;
    together(world.control(), [&] {
      if (world.control().is_root())
        select_from_store(real_files(), store, {.identities = halves[reference]}, people);
    });
    common.steps = config.steps.value_or(common.total_steps(store.size()));
    common.epochs = {};
    common.seed = key_of(config.seed, Purpose::Init, reference) >> 1;
    common.store = people;
    common.run = run;
    settle_precision(common, world);
    spdlog::info("reference model {} of {}: {} people, {} steps", reference + 1, halves.size(),
                 std::count(halves[reference].begin(), halves[reference].end(), true), *common.steps);
    const auto text = [&](const OrderConfig& chosen) {
      common.order = chosen;
      Options options("", "");
      declare(options, pretrain);
      CommonOptions none;
      options.parse({}, none);
      return options.text();
    };
    const Outcome outcome = run_training(world, run_config_of(pretrain), text,
                                         [&](const Store& half, World& opened, const std::string& init) {
                                           return make_pretraining(pretrain, half, opened, init);
                                         });
    if (outcome.code != ExitCode::Done)
      throw Error(
          fmt::format("reference model {} was stopped at step {} ({}): the same command goes on with it",
                      reference + 1, outcome.step, outcome.reason));
    runs.push_back(run);
  }
  return runs;
}

}  // namespace facemae
