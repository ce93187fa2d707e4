// facemae pretrain: trains FaceMAE.
#include "app/train/train_command.h"
#include "trainer/run/make_task.h"

namespace facemae {

ExitCode run_pretrain(App& app, Words words) {
  PretrainConfig config;
  Options options(
      "Trains FaceMAE on a store: masked faces are rebuilt, and the relations between the faces of a batch are kept (IRM). "
      "The same command again resumes the run, on any number of ranks.",
      "pretrain --store STORE --run DIR (--steps N | --epochs E) --batch GLOBAL [OPTIONS]");
  options.epilogue(
      "On two ranks:  mpirun -n 2 --bind-to none facemae pretrain --store faces --run runs/a --epochs 20 --batch 64 --patch 16\n"
      "Stopping:      kill -USR2 <mpirun> (or -USR1), or TERM to a rank: commits and ends in 76. "
      "TERM or Ctrl-C to mpirun may leave no time to commit.");
  return train_command(app, words, options, config, make_pretraining);
}

}  // namespace facemae
