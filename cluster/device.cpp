#include "cluster/device.h"

#include <dlfcn.h>
#include <torch/torch.h>

#include <filesystem>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

void load_cuda_if_present(const WorldConfig& config) {
  if (config.device == "cpu" || !std::filesystem::exists("/dev/nvidiactl")) return;
  // The program links LibTorch's CPU half only, so that it starts on machines without CUDA's libraries.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr) return;
  spdlog::warn(
      "this machine has an NVIDIA driver, but LibTorch's CUDA library cannot be loaded: {}; computing on the "
      "CPU. "
      "Install the full torch wheel (scripts/setup.sh --cuda)",
      dlerror());
}

torch::Device choose_device(const WorldConfig& config, const Topology& topology) {
  if (config.device == "cpu") return torch::kCPU;
  const bool available = torch::cuda::is_available();
  if (!available && config.device == "cuda")
    throw ConfigError("--device cuda: no CUDA device can be used on " + topology.host + " (rank " +
                      std::to_string(topology.rank) +
                      "); look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use --device cpu");
  if (!available) return torch::kCPU;
  const int devices = torch::cuda::device_count();  // NOLINT(bugprone-signed-char-misuse): no character
  return {torch::kCUDA, static_cast<c10::DeviceIndex>(topology.local_rank % devices)};
}

bool can_use_nccl(const torch::Device& device, const Topology& topology) {
#ifdef FACEMAE_HAS_NCCL
  return device.is_cuda() && topology.local_size <= static_cast<int>(torch::cuda::device_count());
#else
  (void)device, (void)topology;
  return false;
#endif
}

std::string choose_backend(const std::string& wanted, bool nccl_everywhere) {
  if (wanted == "mpi") return "mpi";
  if (nccl_everywhere) return "nccl";
  if (wanted == "nccl")
    throw ConfigError(
        "--backend nccl: some rank has no CUDA device to itself, or the program was built without NCCL "
        "(facemae --version "
        "tells); use as many ranks per node as it has GPUs, or --backend mpi");
  return "mpi";
}

}  // namespace facemae
