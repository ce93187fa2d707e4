#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/gpu/one_gpu.h"
#include "tests/ranked/cluster/tensors/conformance.h"

namespace facemae {
namespace {

TEST(NcclCommunicator, ConformsOnOneGpu) {
  test::OneGpu gpu;
  if (!gpu.lacking.empty()) GTEST_SKIP() << gpu.lacking;
  expect_conforming(gpu.link->gradients(), gpu.device);
  torch::cuda::synchronize();
  gpu.link->close();
}

}  // namespace
}  // namespace facemae
