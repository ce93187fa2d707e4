// What a relation of all pairs may take of a GPU's memory.
#include <c10/cuda/CUDACachingAllocator.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/tensors/alone.h"
#include "cluster/world/accelerator.h"
#include "cluster/world/device.h"
#include "model/facemae/relation.h"

namespace facemae {
namespace {

/// The gradient of at::cdist takes [b, G, D] floats on CUDA, 4 GiB here.
TEST(Relation, OfDistancesTakesMemoryOfPairsAndRowsOnly) {
  (void)cuda_accelerator().load();
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device on this machine";
  const torch::Device device(torch::kCUDA, 0);
  use_device(device);
  constexpr std::int64_t rows = 1024, width = 1024, allowed = 64;  // matrices of the size of one side
  const auto options = torch::TensorOptions().device(device);
  const auto real = torch::randn({rows, width}, options);
  const auto rebuilt = torch::randn({rows, width}, options).requires_grad_(true);
  AloneCommunicator alone(device);
  const auto taken = [&] {
    return c10::cuda::CUDACachingAllocator::getDeviceStats(0).allocated_bytes[0];  // of all pools
  };
  c10::cuda::CUDACachingAllocator::resetPeakStats(0);
  const auto before = taken().current;
  relation_share(real, rebuilt, relation_from("distance"), false, alone, std::vector<std::int64_t>{rows})
      .share.backward();
  torch::cuda::synchronize();
  EXPECT_LT(taken().peak - before, allowed * rows * width * 4);
  EXPECT_TRUE(rebuilt.grad().isfinite().all().item<bool>());
}

}  // namespace
}  // namespace facemae
