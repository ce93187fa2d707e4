#pragma once
// Names what a stretch of code does, for those who look at where the time goes: LibTorch's profiler (--profile-steps)
// and, beside a GPU, NVIDIA's (nsys shows NVTX ranges).
#include <ATen/record_function.h>

namespace facemae {

/// `const Range range("forward");` lasts for its scope, on this thread. `name` outlives it. With nobody looking it costs
/// less than a microsecond.
class Range {
 public:
  explicit Range(const char* name);
  ~Range();
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

 private:
  at::RecordFunction recorded_;
  bool nvtx_;
};

}  // namespace facemae
