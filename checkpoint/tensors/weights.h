#pragma once
// Reads weights wherever they are: in a run, one checkpoint of it, or a safetensors file.
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

/// Accepts RUN (its newest valid checkpoint), RUN/checkpoints/sNNN.aNN, or FILE.safetensors. One process
/// reads, and every hash is checked. Throws ConfigError when there is nothing of the kind, DataError or
/// CheckpointError when it is corrupt, DataError for weights that are not finite: nothing may be made from
/// those. Model weights are the replicated tensors whose names start with "model."; the prefix is removed.
Weights read_weights(const Path& path);

/// `key = value` of a configuration text, or fallback.
std::string config_value(const std::string& config, const std::string& key, const std::string& fallback = "");

}  // namespace facemae
