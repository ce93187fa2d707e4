#pragma once
// Small tensors of the host that a computation on a device needs.
#include <torch/types.h>

namespace facemae {

/// `host` on the device. The host does not wait for the copy, which is in order with what the device computes; LibTorch
/// keeps the page-locked memory that it comes from until it is done. On the CPU it is `host` itself.
inline torch::Tensor sent(const torch::Tensor& host, torch::Device device) {
  return device.is_cpu() ? host : host.pin_memory().to(device, /*non_blocking=*/true);
}

}  // namespace facemae
