#pragma once
// What every Communicator must do, as one table of checks: runs on MPI always, on NCCL where GPUs are.
#include <torch/types.h>

#include <chrono>

#include "cluster/tensors/communicator.h"

namespace facemae {

inline constexpr auto kLong = std::chrono::seconds(60);  ///< a deadline that only a hang reaches

/// Every verb on every element type in sizes from none to odd and large, against values
/// computed here. All ranks.
void expect_conforming(Communicator& ranks, torch::Device device);

}  // namespace facemae
