#pragma once
// What the driver calls a GPU.
#include <torch/types.h>

#include <string>

namespace facemae {

/// "NVIDIA H100 80GB HBM3"; "" for a CPU, and where no driver tells.
std::string gpu_name(torch::Device device);

}  // namespace facemae
