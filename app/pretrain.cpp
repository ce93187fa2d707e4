// facemae pretrain: trains FaceMAE.
#include "app/command.h"
#include "app/describe.h"
#include "trainer/models.h"
#include "trainer/session.h"

namespace facemae {

ExitCode run_pretrain(App& app, Words words) {
  PretrainConfig config;
  Options options(
      "Trains FaceMAE on a store: masked faces are rebuilt, and the relations between the faces of a batch "
      "are kept "
      "(IRM). The same command again resumes the run, on any number of ranks.",
      "pretrain --store STORE --run DIR (--steps N | --epochs E) --batch GLOBAL [OPTIONS]");
  declare(options, config);
  options.epilogue(
      "On two ranks:  mpirun -n 2 --bind-to none facemae pretrain --store faces --run runs/a --epochs 20 "
      "--batch 64 --patch 16\n"
      "Stopping:      kill -USR2 <mpirun>, or TERM to a rank: commits and ends in 76. TERM or Ctrl-C to "
      "mpirun cannot commit.");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  validate(options, config);
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world(world_config(config.common));
  const Outcome outcome =
      run_training(world, config.common, options.text(),
                   [&](const Store& store, World& w) { return make_pretraining(config, store, w); });
  app.result(describe(outcome));
  return outcome.code;
}

}  // namespace facemae
