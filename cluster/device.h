#pragma once
// Which device this rank computes on, and which back end carries its tensors.
#include <torch/types.h>

#include <string>

#include "cluster/world.h"

namespace facemae {

/// Loads LibTorch's CUDA half where there is an NVIDIA driver. Must run before anything asks LibTorch about
/// CUDA.
void load_cuda_if_present(const WorldConfig& config);
/// The device for this rank: local rank modulo devices. Throws ConfigError when cuda is demanded and missing.
torch::Device choose_device(const WorldConfig& config, const Topology& topology);

/// Pure: "nccl" or "mpi", the same on all ranks when `nccl_everywhere` is (the ranks have voted). Throws
/// ConfigError when NCCL is demanded and impossible.
std::string choose_backend(const std::string& wanted, bool nccl_everywhere);
/// Whether this rank could join an NCCL communicator: built in, on CUDA, and its device is not shared with
/// another rank.
bool can_use_nccl(const torch::Device& device, const Topology& topology);

}  // namespace facemae
