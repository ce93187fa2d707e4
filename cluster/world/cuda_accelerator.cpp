// CUDA's devices, as LibTorch sees them.
#include <dlfcn.h>
#include <torch/torch.h>

#include <filesystem>

#include "cluster/world/accelerator.h"

namespace facemae {
namespace {

bool has_driver() { return std::filesystem::exists("/dev/nvidiactl"); }

std::string load_cuda_if_present() {
  if (!has_driver()) return "";
  // The program links LibTorch's CPU half only, so that it starts on machines without CUDA's libraries.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr) return "";
  const char* error = dlerror();
  return error != nullptr ? error : "the loader gives no reason";
}

int count_devices() {
  if (!torch::cuda::is_available()) return 0;
  return torch::cuda::device_count();  // NOLINT(bugprone-signed-char-misuse): no character
}

}  // namespace

Accelerator cuda_accelerator() {
  return {.type = torch::kCUDA, .present = has_driver, .load = load_cuda_if_present, .count = count_devices};
}

}  // namespace facemae
