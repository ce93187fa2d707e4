#pragma once
// Which device this rank computes on.
#include <torch/types.h>

#include "cluster/host/device_report.h"
#include "cluster/world/accelerator.h"

namespace facemae {

struct FoundDevice {
  torch::Device device = torch::kCPU;
  DeviceReport report;
};
/// A GPU, local rank modulo those that this process sees, or the CPU: with --device cpu, or without a
/// GPU that can be used, and then report.fault says why. An unusable GPU is logged as an error.
/// `load_error`: of gpus.load().
FoundDevice find_device(const WorldConfig& config, const BackEnds& back_ends, const Accelerator& gpus,
                        const Topology& topology, const std::string& load_error);

/// Makes a GPU the calling thread's; nothing on the CPU.
void use_device(const torch::Device& device);

}  // namespace facemae
