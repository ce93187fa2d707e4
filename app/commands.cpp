#include <array>

#include "app/command.h"
#include "app/import_arcface.h"

namespace facemae {
namespace {

/// Weights, or a whole run.
ExitCode run_any_import(App& app, Words words) {
  return asks_for_arcface(words) ? run_import_arcface(app, words) : run_import(app, words);
}

}  // namespace

std::span<const Command> all_commands() {
  constexpr const char *data = "Data", *training = "Training", *use = "Using a model";
  static constexpr std::array commands = {
      Command{"synth", data, "make a store of synthetic faces: no download needed", run_synth},
      Command{"pack", data, "make a store from folders, archives, a .rec or a list of images", run_pack},
      Command{"unpack", data, "write a store as folders of images, a .rec or a tar", run_unpack},
      Command{"store", data, "info, verify, stage, split, subset, remove or compact a store", run_store},
      Command{"pairs", data, "make verification pairs from a store", run_pairs},
      Command{"pretrain", training, "train FaceMAE", run_pretrain},
      Command{"recognize", training, "train a recognition network on a store, real or rebuilt",
              run_recognize},
      Command{"status", training, "show the state of a run: step, rate, time left, commits, starts",
              run_status},
      Command{"doctor", training, "look whether a run would work here, on all nodes, and what to do if not",
              run_doctor},
      Command{"stop", training, "ask a run to commit and stop, through a file: no signal needed", run_stop},
      Command{"save", training, "ask a running training for a checkpoint now", run_save},
      Command{"checkpoint", training, "list, show, verify, diff or prune the checkpoints of a run",
              run_checkpoint},
      Command{"reconstruct", use, "rebuild masked faces of unseen people into a candidate for release",
              run_reconstruct},
      Command{"show", use, "draw original | masked | rebuilt for a few pictures", run_show},
      Command{"evaluate", use, "measure verification accuracy on pairs", run_evaluate},
      Command{"embed", use, "write embeddings of images as .npy", run_embed},
      Command{"audit", use, "measure how far rebuilt faces can be linked to real ones", run_audit},
      Command{"compare", use, "compare ways to release faces: utility against leakage, in one experiment",
              run_compare},
      Command{"release", use, "judge an audited release by its policy, and pack it", run_release},
      Command{"export", use, "write the weights of a run as safetensors or for PyTorch", run_export},
      Command{"import", use,
              "write weights of others as safetensors with our metadata, or go on with their run",
              run_any_import},
  };
  return commands;
}

}  // namespace facemae
