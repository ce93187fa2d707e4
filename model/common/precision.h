#pragma once
// Sets the precision of tensor operations within a scope, for code that may be called under autocast.
#include <ATen/autocast_mode.h>
#include <torch/types.h>

namespace facemae {

/// No autocast on this device within the scope: what is float32 stays float32.
class FullPrecision {
 public:
  explicit FullPrecision(at::DeviceType device)
      : device_(device), before_(at::autocast::is_autocast_enabled(device)) {
    at::autocast::set_autocast_enabled(device_, false);
  }
  ~FullPrecision() { at::autocast::set_autocast_enabled(device_, before_); }
  FullPrecision(const FullPrecision&) = delete;
  FullPrecision& operator=(const FullPrecision&) = delete;

 private:
  at::DeviceType device_;
  bool before_;
};

/// float32, except that float64 stays: tests differentiate by finite differences.
inline torch::Tensor at_least_float(const torch::Tensor& x) {
  return x.scalar_type() == torch::kFloat64 ? x : x.to(torch::kFloat32);
}

}  // namespace facemae
