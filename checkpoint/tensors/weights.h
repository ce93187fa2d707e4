#pragma once
// Reads weights wherever they are: in a run, one checkpoint of it, a safetensors file or one of PyTorch.
#include <string>

#include "checkpoint/tensors/safetensors.h"

namespace facemae {

struct Weights {
  NamedTensors tensors;  ///< model weights only, under their own keys: no moments, no class centres
  std::string config;    ///< configuration text of the run, "" for a bare file
  std::string hash;      ///< XXH3-128 over names, shapes and bytes, in name order
  std::string origin;    ///< for messages: "run R, step 1200"
  std::map<std::string, std::string> metadata;
  /// int64, ascending: what a run recorded of the people that it was trained on
  /// (trainer/input/training_identities.h); may be undefined.
  torch::Tensor training_identities;
};

/// The name of the replicated tensor in which a training run keeps them.
inline constexpr const char* kTrainingIdentities = "training.identities";

/// Accepts RUN (its newest valid checkpoint), RUN/checkpoints/sNNN.aNN, a file of safetensors, or one of torch.save
/// (checkpoint/tensors/pytorch.h), whose names lose what wrappers put before them. One process reads, and every hash is
/// checked. Throws ConfigError when there is nothing of the kind, DataError or
/// CheckpointError when it is corrupt, DataError for weights that are not finite: nothing may be made from
/// those. Model weights are the replicated tensors whose names start with "model."; the prefix is removed.
Weights read_weights(const Path& path);

/// The class centres of a run of `facemae recognize`, or of one checkpoint of it, by class: [C, D]. Throws as
/// read_weights(), and ConfigError where there are none.
torch::Tensor read_class_centres(const Path& path);

/// `key = value` of a configuration text, or fallback.
std::string config_value(const std::string& config, const std::string& key, const std::string& fallback = "");

}  // namespace facemae
