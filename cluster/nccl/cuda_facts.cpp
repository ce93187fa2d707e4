#include "cluster/nccl/cuda_facts.h"

#include <cuda_runtime_api.h>

namespace facemae {

GpuFacts cuda_facts(std::optional<int> gpu) {
  GpuFacts facts;
  if (cudaDriverGetVersion(&facts.driver) != cudaSuccess) facts.driver = 0;
  if (cudaRuntimeGetVersion(&facts.runtime) != cudaSuccess) facts.runtime = 0;
  if (!gpu) return facts;
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, *gpu) == cudaSuccess) {
    facts.name = properties.name;
    facts.bfloat16 = properties.major >= 8;
  }
  char bus[32] = "";
  if (cudaDeviceGetPCIBusId(bus, sizeof bus, *gpu) == cudaSuccess) facts.bus = bus;
  (void)cudaGetLastError();  // a question that failed must not be taken for the next call's failure
  return facts;
}

}  // namespace facemae
