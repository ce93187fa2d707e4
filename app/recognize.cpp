// facemae recognize: trains a recognition network.
#include "app/command.h"
#include "app/describe.h"
#include "trainer/models.h"
#include "trainer/session.h"

namespace facemae {

ExitCode run_recognize(App& app, Words words) {
  RecognizeConfig config;
  config.common.optimizer = {.kind = "sgd", .weight_decay = 5e-4};
  config.common.default_base_lr = 0.025;
  config.common.schedule = "polynomial";
  config.common.clip = 5;
  Options options(
      "Trains a recognition network on a store, real or rebuilt, with a margin softmax whose classes are "
      "sharded over "
      "the ranks. The same command again resumes the run.",
      "recognize --store STORE --run DIR (--steps N | --epochs E) --batch GLOBAL [OPTIONS]");
  declare(options, config);
  options.epilogue(
      "Example:  mpirun -n 2 --bind-to none facemae recognize --store rebuilt --run runs/r --epochs 20 "
      "--batch 64 --lr 0.05");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  validate(options, config);
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world(world_config(config.common));
  const Outcome outcome =
      run_training(world, config.common, options.text(),
                   [&](const Store& store, World& w) { return make_recognition(config, store, w); });
  app.result(describe(outcome));
  return outcome.code;
}

}  // namespace facemae
