#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/nccl/nccl_communicator.h"
#include "cluster/world/device.h"
#include "tests/ranked/cluster/tensors/conformance.h"

namespace facemae {
namespace {

TEST(NcclCommunicator, ConformsOnOneGpu) {
#ifdef FACEMAE_HAS_NCCL
  (void)load_cuda_if_present({});
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device on this machine";
  AloneControl control;
  NcclCommunicator ranks(nccl::real_api(), cuda_streams(0), control,
                         NcclCommunicator::Options{.deadline = std::chrono::seconds(60)});
  expect_conforming(ranks, {torch::kCUDA, 0});
  torch::cuda::synchronize();
  ranks.close();
#else
  GTEST_SKIP() << "built without NCCL";
#endif
}

}  // namespace
}  // namespace facemae
