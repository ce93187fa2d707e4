#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/nccl/nccl_back_end.h"
#include "cluster/world/device.h"
#include "tests/ranked/cluster/tensors/conformance.h"

namespace facemae {
namespace {

TEST(NcclCommunicator, ConformsOnOneGpu) {
  const BackEnd nccl = nccl_back_end();
  if (!nccl.built) GTEST_SKIP() << nccl.version();
  (void)cuda_accelerator().load();
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device on this machine";
  const torch::Device device(torch::kCUDA, 0);
  use_device(device);
  AloneControl control;
  const auto link = nccl.open(control, {.device = device, .deadline = kLong});
  expect_conforming(link->gradients(), device);
  torch::cuda::synchronize();
  link->close();
}

}  // namespace
}  // namespace facemae
