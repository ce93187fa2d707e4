#include "cluster/world/device.h"

#include <dlfcn.h>
#include <torch/torch.h>

#include <filesystem>

#include "core/log.h"
#ifdef FACEMAE_HAS_NCCL
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>
#endif

namespace facemae {
namespace {

bool has_driver() { return std::filesystem::exists("/dev/nvidiactl"); }

/// 0 when unknown. Neither makes a context.
int driver_version() {
  int version = 0;
#ifdef FACEMAE_HAS_NCCL
  if (cudaDriverGetVersion(&version) != cudaSuccess) version = 0;
#endif
  return version;
}
int runtime_version() {
  int version = 0;
#ifdef FACEMAE_HAS_NCCL
  if (cudaRuntimeGetVersion(&version) != cudaSuccess) version = 0;
#endif
  return version;
}

void describe_gpu([[maybe_unused]] int index, DeviceReport& report) {
  report.driver = cuda_version_text(driver_version());
#ifdef FACEMAE_HAS_NCCL
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, index) == cudaSuccess) {
    report.name = properties.name;
    report.bfloat16 = properties.major >= 8;
  }
  char bus[32] = "";
  if (cudaDeviceGetPCIBusId(bus, sizeof bus, index) == cudaSuccess) report.bus = bus;
  (void)cudaGetLastError();  // a question that failed must not be taken for the next call's failure
#endif
}

/// Does it compute? A device that has failed is still counted. Makes the context that is needed anyway.
std::string fault_of(const torch::Device& device) {
  try {
    use_device(device);
    if (torch::ones({2}, torch::TensorOptions().device(device)).sum().item<double>() == 2) return "";
    return "GPU " + device.str() + " computes 1 + 1 wrongly";
  } catch (const c10::Error& error) {
    return "GPU " + device.str() + " fails: " + error.what_without_backtrace();
  } catch (const std::exception& error) {
    return "GPU " + device.str() + " fails: " + error.what();
  }
}

}  // namespace

std::string load_cuda_if_present(const WorldConfig& config) {
  if (config.device == "cpu" || !has_driver()) return "";
  // The program links LibTorch's CPU half only, so that it starts on machines without CUDA's libraries.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr) return "";
  const char* error = dlerror();
  return error != nullptr ? error : "for a reason that the loader does not tell";
}

FoundDevice find_device(const WorldConfig& config, const Topology& topology, const std::string& load_error) {
  FoundDevice found;
  found.report.rank = topology.rank;
  found.report.node = topology.node;
  found.report.host = topology.host;
#ifdef FACEMAE_HAS_NCCL
  found.report.nccl = true;
#endif
  if (config.device == "cpu") return found;
  if (torch::cuda::is_available()) {
    const int devices = torch::cuda::device_count();  // NOLINT(bugprone-signed-char-misuse): no character
    const int index = topology.local_rank % devices;
    const torch::Device device(torch::kCUDA, static_cast<c10::DeviceIndex>(index));
    found.report.fault = fault_of(device);
    if (found.report.fault.empty()) {
      found.device = device;
      found.report.gpu = true;
      describe_gpu(index, found.report);
      return found;
    }
  } else {
    found.report.fault = has_driver() ? why_no_gpu(driver_version(), runtime_version(), load_error)
                                      : "the machine has no NVIDIA driver";
  }
  if (has_driver() &&
      (torch::cuda::is_available() || topology.local_rank == 0))  // of a host's own fault once
    spdlog::error("rank {} on host {}: there is a GPU that cannot be used: {}", topology.rank, topology.host,
                  found.report.fault);
  return found;
}

void use_device([[maybe_unused]] const torch::Device& device) {
#ifdef FACEMAE_HAS_NCCL
  if (device.is_cuda()) c10::cuda::set_device(device.index());
#endif
}

}  // namespace facemae
