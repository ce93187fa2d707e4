// facemae recognize: trains a recognition network.
#include "app/train/train_command.h"
#include "trainer/run/make_task.h"

namespace facemae {

ExitCode run_recognize(App& app, Words words) {
  RecognizeConfig config = recognition_defaults();
  Options options(
      "Trains a recognition network on a store, real or rebuilt, with a margin softmax whose classes are sharded over the ranks. "
      "The same command again resumes the run.",
      "recognize --store STORE --run DIR (--steps N | --epochs E) --batch GLOBAL [OPTIONS]");
  options.epilogue(
      "Example:  mpirun -n 2 --bind-to none facemae recognize --store rebuilt --run runs/r --epochs 20 --batch 64 --lr 0.05");
  return train_command(app, words, options, config, make_recognition);
}

}  // namespace facemae
