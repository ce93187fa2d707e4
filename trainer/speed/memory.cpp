#include "trainer/speed/memory.h"

#if __has_include(<c10/core/CachingDeviceAllocator.h>)
#include <c10/core/CachingDeviceAllocator.h>
#endif
#include <torch/version.h>

#include <charconv>

#include "core/files/files.h"

namespace facemae {
namespace {

constexpr std::uint64_t kKibibyte = 1024;

std::uint64_t kibibytes_after(const std::string& text, const std::string& key) {
  const auto found = text.find(key);
  if (found == std::string::npos) return 0;
  const auto digits = text.find_first_of("0123456789", found + key.size());
  std::uint64_t value = 0;
  if (digits != std::string::npos) std::from_chars(text.data() + digits, text.data() + text.size(), value);
  return value;
}

/// LibTorch 2.9 and newer tell it without the headers of a device.
std::uint64_t reserved_on(torch::Device device) {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 9
  if (auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type())))
    if (allocator->initialized())
      return static_cast<std::uint64_t>(allocator->getDeviceStats(device.index()).reserved_bytes[0].peak);
#else
  (void)device;
#endif
  return 0;
}

}  // namespace

std::uint64_t peak_resident(const std::string& status) {
  const auto highest = kibibytes_after(status, "VmHWM:");
  return kKibibyte * (highest > 0 ? highest : kibibytes_after(status, "VmRSS:"));
}

std::uint64_t peak_memory(torch::Device device) {
  if (!device.is_cpu()) return reserved_on(device);
  try {
    return peak_resident(read_file("/proc/self/status"));
  } catch (const std::exception&) {
    return 0;  // not everywhere is there a /proc
  }
}

}  // namespace facemae
