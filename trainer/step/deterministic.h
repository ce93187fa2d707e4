#pragma once
// --deterministic: the same command gives the same bits on GPUs, too, whose fastest kernels add up in an order that
// changes from run to run.
#include <torch/types.h>

namespace facemae {

/// Before the first kernel: kernels whose order of additions is fixed, and none chosen by how fast it happened to be. An
/// operator that has no such kernel throws c10::Error when it is called. On CPUs there is nothing to do: returns false.
bool compute_deterministically(torch::Device device);

}  // namespace facemae
