#include "trainer/files/version.h"

#include <ATen/Version.h>
#include <torch/torch.h>
#include <torch/version.h>

namespace facemae {

std::string libtorch_version() { return std::string(TORCH_VERSION) + ", " + at::get_cpu_capability(); }

}  // namespace facemae
