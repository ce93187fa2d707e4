#pragma once
// What `pretrain` and `recognize` do once their options are declared.
#include <functional>
#include <memory>
#include <type_traits>

#include "app/command.h"
#include "app/describe.h"
#include "cluster/host/agree.h"
#include "cluster/world/world.h"
#include "core/host.h"
#include "core/signals.h"
#include "trainer/input/machine.h"
#include "trainer/run/assumed_run.h"
#include "trainer/run/refused_start.h"
#include "trainer/run/resume.h"
#include "trainer/run/session.h"
#include "trainer/step/instruction_set.h"

namespace facemae {

/// What `recognize` has unless it is given.
inline RecognizeConfig recognition_defaults() {
  RecognizeConfig config;
  config.common.optimizer = {.kind = "sgd", .weight_decay = 5e-4};
  config.common.default_base_lr = 0.025;
  config.common.schedule = "polynomial";
  config.common.clip = 5;
  return config;
}

/// The world of a run. When the ranks cannot have their devices, RUN tells, too.
inline World& world_of(App& app, const RunConfig& config) {
  try {
    return app.world(world_config(config));
  } catch (const AgreedError& error) {
    if (launched_rank() == 0 && !config.dry_run)
      note_refused_start(config.run, error.code(), error.kind(), error.what(), error.blame());
    throw;
  }
}

/// Reads and checks the words, then trains, resumes or shows what was asked for.
template <class Config>
ExitCode train_command(App& app, Words words, Options& options, Config& config,
                       TrainingTask (*make)(const Config&, const Store&, World&, const std::string&)) {
  declare(options, config);
  if (!options.parse(words, app.common)) return ExitCode::Done;
  validate(options, config);
  if (!options.finish()) return ExitCode::Done;
  if (config.common.exact) fix_instruction_set();
  if (!config.common.dry_run)  // a notice while ranks start counts too
    install_notice_handlers(launched_alone());
  World& world = world_of(app, config.common);
  settle_precision(config.common, world);
  settle(options, config.common, world.control(), [&] { choose_for_new_run(config, world); });
  if (config.common.assume_identities) {
    print_assumed_run(config, world);
    app.result(describe(Outcome{.code = ExitCode::Done, .kind = "dry-run", .reason = ""}));
    return ExitCode::Done;
  }
  const auto text = [&](const OrderConfig& chosen) {
    config.common.order = chosen;  // what the run has, not what was asked for
    return options.text();
  };
  const Outcome outcome = run_training(world, run_config_of(config), text,
                                       [&](const Store& store, World& opened, const std::string& init) {
                                         return make(config, store, opened, init);
                                       });
  app.result(describe(outcome));
  return outcome.code;
}

}  // namespace facemae
