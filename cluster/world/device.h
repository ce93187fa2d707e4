#pragma once
// Which device this rank computes on.
#include <torch/types.h>

#include "cluster/host/device_report.h"
#include "cluster/world/world.h"

namespace facemae {

/// Loads LibTorch's CUDA half where there is an NVIDIA driver; returns why it could not be. Must run before
/// anything asks LibTorch about CUDA.
std::string load_cuda_if_present(const WorldConfig& config);

struct FoundDevice {
  torch::Device device = torch::kCPU;
  DeviceReport report;
};
/// A GPU, local rank modulo those that this process sees, or the CPU: with --device cpu, or without a
/// GPU that can be used, and then report.fault says why. An unusable GPU is logged as an error.
/// `load_error`: of load_cuda_if_present().
FoundDevice find_device(const WorldConfig& config, const BackEnds& back_ends, const Topology& topology,
                        const std::string& load_error);

/// Makes a GPU the calling thread's; nothing on the CPU.
void use_device(const torch::Device& device);

}  // namespace facemae
