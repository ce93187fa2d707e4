#include "cluster/world/gpu_name.h"

#include <dlfcn.h>

#include <array>

namespace facemae {

std::string gpu_name(torch::Device device) {
  if (!device.is_cuda()) return "";
  // The driver's library is there already where LibTorch computes on a GPU; we link none of CUDA's.
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  if (driver == nullptr) return "";
  std::array<char, 256> name{};
  // https://docs.nvidia.com/cuda/cuda-driver-api: both return 0 when they succeed.
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto name_of = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  int handle = 0;
  const bool told = get != nullptr && name_of != nullptr && get(&handle, device.index()) == 0 &&
                    name_of(name.data(), static_cast<int>(name.size()) - 1, handle) == 0;
  dlclose(driver);
  return told ? std::string(name.data()) : "";
}

}  // namespace facemae
