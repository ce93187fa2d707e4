#include "app/command.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>

#include "core/files.h"
#include "core/host.h"
#include "core/log.h"

namespace facemae {

World& App::world(const WorldConfig& config) {
  if (!world_) {
    refused_ = true;
    world_ = World::open(config);
    refused_ = false;
    start_logging(common.log_level, world_->topology().rank, world_->topology().size);
    torch::set_num_threads(std::max(1, available_cores() / world_->topology().local_size));
  }
  return *world_;
}

World& App::alone(const std::string& command) {
  World& opened = world({.device = "cpu"});
  if (opened.topology().size > 1)
    throw ConfigError("`facemae " + command + "` works on one rank: start it without mpirun or srun");
  return opened;
}

void App::result(const nlohmann::ordered_json& result) {
  if (common.json.empty() || (world_ && world_->topology().rank != 0)) return;
  write_durably(real_files(), common.json, result.dump(2) + "\n");
}

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
      Command{"export", "weights of a run as safetensors", run_export},
      Command{"import", "weights of others as safetensors with our metadata", run_import},
  };
  return commands;
}

}  // namespace facemae
