#include <array>

#include "app/command.h"

namespace facemae {

std::span<const Command> all_commands() {
  static constexpr std::array commands = {
      Command{"synth", "make a store of synthetic faces: no download needed", run_synth},
      Command{"pack", "make a store from folders, archives, a .rec or a list of images", run_pack},
      Command{"unpack", "a store as folders of images, a .rec or a tar", run_unpack},
      Command{"store", "info, verify, stage, split, subset, remove or compact a store", run_store},
      Command{"pairs", "make verification pairs from a store", run_pairs},
      Command{"pretrain", "train FaceMAE", run_pretrain},
      Command{"reconstruct", "rebuild masked faces of unseen people into a candidate for release",
              run_reconstruct},
      Command{"recognize", "train a recognition network on a store, real or rebuilt", run_recognize},
      Command{"evaluate", "verification accuracy on pairs", run_evaluate},
      Command{"embed", "embeddings of images as .npy", run_embed},
      Command{"audit", "measure how far rebuilt faces can be linked to real ones", run_audit},
      Command{"show", "original | masked | rebuilt for a few pictures", run_show},
      Command{"checkpoint", "list, show, verify, diff or prune the checkpoints of a run", run_checkpoint},
      Command{"status", "how a run is doing: step, rate, time left, commits, starts", run_status},
      Command{"export", "weights of a run as safetensors", run_export},
      Command{"import", "weights of others as safetensors with our metadata", run_import},
  };
  return commands;
}

}  // namespace facemae
