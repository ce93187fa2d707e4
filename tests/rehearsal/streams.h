#pragma once
// The streams of the stand-in, as the NCCL communicator wants them.
#include <memory>

#include "cluster/nccl/gpu_streams.h"

namespace facemae::rehearsal {

std::shared_ptr<GpuStreams> stand_in_streams(torch::Device device);

}  // namespace facemae::rehearsal
