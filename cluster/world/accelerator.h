#pragma once
// Where GPUs come from, as functions: the program hands CUDA's to World, tests their own.
#include <torch/types.h>

#include <functional>
#include <memory>
#include <string>

#include "cluster/world/world.h"

namespace facemae {

struct Accelerator {
  torch::DeviceType type;
  /// The machine has one, whether it can be used or not. Makes no context.
  std::function<bool()> present;
  /// Loads what LibTorch needs for it where it is present; returns why that failed, else "". Before anything asks
  /// LibTorch for its devices.
  std::function<std::string()> load;
  /// That this process sees and LibTorch can use, after load(); 0: none.
  std::function<int()> count;
};

Accelerator cuda_accelerator();

/// World::open() with these devices instead of CUDA's.
std::unique_ptr<World> open_world(const BackEnds& back_ends, const WorldConfig& config,
                                  const Accelerator& gpus);

}  // namespace facemae
