#include "trainer/step/deterministic.h"

#include <ATen/Context.h>

#include <cstdlib>

namespace facemae {

bool compute_deterministically(torch::Device device) {
  if (device.is_cpu()) return false;
  // cuBLAS adds up in workspaces: with these it always has the same ones. It looks when it is first used.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  auto& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  // New memory is not filled before use, which is PyTorch's way to show reads of it: ours is written first.
  context.setDeterministicFillUninitializedMemory(false);
  return true;
}

}  // namespace facemae
