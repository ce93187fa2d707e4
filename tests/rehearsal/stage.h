#pragma once
// What a rehearsal hands the program instead of CUDA and NCCL, and what can be put wrong with it.
#include <functional>
#include <memory>

#include "cluster/nccl/nccl_communicator.h"
#include "cluster/tensors/back_end.h"
#include "cluster/world/accelerator.h"
#include "tests/rehearsal/wire.h"

namespace facemae::rehearsal {

/// Of one process; must outlive the worlds that are opened with it. Ranks of a host see kDevices GPUs.
struct Stage {
  BackEnds back_ends();  ///< NCCL's row with the product's own communicator over a Wire, then MPI's
  Accelerator gpus();

  std::shared_ptr<Wire> wire;  ///< of the world that was opened last over NCCL

  // What tests put wrong or otherwise.
  int devices = 8;                   ///< that this process sees; 0: they cannot be used
  std::function<std::string()> bus;  ///< of this process's GPU; unless given, by its number
  std::function<std::string(const DeviceReports&)> obstacle;  ///< instead of the product's
  std::function<std::shared_ptr<GpuStreams>(std::shared_ptr<GpuStreams>)> around_streams;
};

}  // namespace facemae::rehearsal
