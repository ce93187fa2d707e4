#include "trainer/attacks/attacker_run.h"

#include <torch/torch.h>

#include <algorithm>

#include "cluster/host/agree.h"
#include "core/checksum.h"
#include "core/files/owner_files.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/attacks/picture_supply.h"
#include "trainer/input/machine.h"
#include "trainer/input/training_identities.h"
#include "trainer/run/session.h"

namespace facemae {
namespace {

RunConfig config_of(const AttackerRun& run, World& world) {
  RunConfig config;
  config.steps = run.training.steps;
  config.batch = run.training.batch;
  config.lr = run.training.lr;
  config.seed = run.seed;
  if (run.recognises) {
    config.optimizer = {.kind = "sgd", .weight_decay = 5e-4};
    config.schedule = "polynomial";
    config.clip = 5;
  } else {
    config.optimizer = {.kind = "adamw", .weight_decay = 1e-2, .beta2 = 0.999};
  }
  config.save_every = run.save_every;
  config.keep = 2;
  // What the process has chosen already stays.
  config.threads = std::min(torch::get_num_threads(), world.topology().cores);
  config.precision = run.training.precision;
  settle_precision(config, world);
  return config;
}

std::string text_of(const AttackerRun& run, const RunConfig& config) {
  std::vector<std::string> lines = run.settings;
  lines.insert(lines.begin(), {"attacker = " + run.name, fmt::format("steps = {}", *config.steps),
                               fmt::format("batch = {}", config.batch), fmt::format("lr = {}", *config.lr),
                               fmt::format("width = {}", run.training.width),
                               fmt::format("seed = {}", config.seed), "precision = " + config.precision});
  return join(lines, "\n") + "\n";
}

}  // namespace

void train_attacker(World& world, const AttackerRun& run) {
  Control& control = world.control();
  RunConfig config = config_of(run, world);
  const std::string text = text_of(run, config);
  if (!control.same_everywhere(text + run.digest))
    throw AgreedError(
        ConfigError("attacker " + run.name +
                    ": the ranks do not have the same pictures or settings: start them all with the "
                    "same command on the same stores"));
  if (config.batch < static_cast<std::uint64_t>(control.size()))
    throw AgreedError(ConfigError(fmt::format(
        "attacker {}: a batch of {} leaves some of the {} ranks without a picture: raise --attack-batch or use fewer ranks",
        run.name, config.batch, control.size())));
  const Path folder = run.folder / (run.name + "-" + xxh128(bytes_of(text + run.digest)).hex().substr(0, 12));
  config.run = folder.string();
  together(control, [&] {
    if (control.is_root()) make_folders(owner_files(), folder);
  });
  if (control.is_root()) spdlog::info("attacker {}: {}", run.name, folder.string());
  const auto open = [&]() -> RunInput {
    return {.config = config,
            .config_text = text,
            .images = static_cast<std::uint64_t>(run.pictures.size(0)),
            .digest = run.digest,
            .make_task = [&](const std::string&) { return run.make_task(config); },
            .identities = [](const std::string&) { return no_training_identities(); },
            .supply = [&](std::uint64_t first_step, const std::vector<Quarantined>&,
                          const FaceNeeds&) -> std::unique_ptr<Supply> {
              return std::make_unique<PictureSupply>(run.pictures, run.labels, run.side, config, world,
                                                     first_step);
            }};
  };
  const torch::AutoGradMode gradients(true);  // whoever attacks otherwise needs none
  const Outcome outcome = run_training(world, config, open);
  if (outcome.code != ExitCode::Done)
    throw AgreedError(
        fmt::format("attacker {} was stopped at step {} ({}): the same command goes on from there", run.name,
                    outcome.step, outcome.reason),
        outcome.code, outcome.kind);
}

}  // namespace facemae
