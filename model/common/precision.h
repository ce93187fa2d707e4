#pragma once
// Sets the precision of tensor operations within a scope, for code that may be called under autocast.
#include <ATen/autocast_mode.h>

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

}  // namespace facemae
