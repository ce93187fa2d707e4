#pragma once
// What the options of the programs that people come from are called here, or why there are none: what the commands say
// of unknown options, and docs/MOVING_OVER.md.
#include <span>

#include "core/options/options.h"

namespace facemae {

struct MovingOver {
  const char* program;  ///< where the options are from
  std::span<const ForeignOption> options;
};
/// For `facemae pretrain`: those of MAE (main_pretrain.py), then those of PyTorch programs in general.
std::span<const MovingOver> moving_to_pretrain();
/// For `facemae recognize`: those of InsightFace's arcface_torch (options and keys of its configs) and of AdaFace, then the
/// same.
std::span<const MovingOver> moving_to_recognize();

}  // namespace facemae
