#pragma once
// The most memory that this rank has had at one time.
#include <torch/types.h>

#include <cstdint>
#include <string>

namespace facemae {

/// Bytes since the process began: what LibTorch's allocator had reserved on an accelerator; on the CPU the process's
/// resident memory. 0 where nothing tells.
std::uint64_t peak_memory(torch::Device device);

/// Bytes of VmHWM (the highest resident set) in the text of /proc/self/status, else of VmRSS; 0 without either.
std::uint64_t peak_resident(const std::string& status);

}  // namespace facemae
