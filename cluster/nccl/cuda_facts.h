#pragma once
// What CUDA's own headers tell of GPUs.
#include <optional>

#include "cluster/tensors/back_end.h"

namespace facemae {

GpuFacts cuda_facts(std::optional<int> gpu);  ///< BackEnd::look

}  // namespace facemae
