#pragma once
// The row of NCCL in the table of back ends: nccl_back_end.cpp where it is built, no_nccl.cpp where it is not.
#include "cluster/tensors/back_end.h"

namespace facemae {

/// Carries the tensors of GPUs, one for each rank.
BackEnd nccl_back_end();
/// The row's first part, which is the same where NCCL is not built.
inline Carrier nccl_carrier() {
  return {.name = "nccl", .title = "NCCL", .obstacle = [](const DeviceReports& reports) {
            return why_no_gpu_each(reports, "nccl", "NCCL");
          }};
}

}  // namespace facemae
