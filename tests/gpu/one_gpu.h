#pragma once
// One GPU, over NCCL's real path: a world of one process.
#include <torch/torch.h>

#include <memory>
#include <string>

#include "cluster/host/control.h"
#include "cluster/nccl/nccl_back_end.h"
#include "cluster/world/accelerator.h"
#include "cluster/world/device.h"

namespace facemae::test {

struct OneGpu {
  OneGpu() {
    const BackEnd nccl = nccl_back_end();
    if (!nccl.built) {
      lacking = nccl.version();
      return;
    }
    (void)cuda_accelerator().load();
    if (!torch::cuda::is_available()) {
      lacking = "no CUDA device on this machine";
      return;
    }
    use_device(device);
    link = nccl.open(control, {.device = device, .deadline = std::chrono::seconds(60)});
  }

  std::string lacking;  ///< what a test is to be skipped for, "" nothing
  const torch::Device device{torch::kCUDA, 0};
  AloneControl control;
  std::unique_ptr<Link> link;  ///< null when something is lacking
};

}  // namespace facemae::test
