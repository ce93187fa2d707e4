#include "cluster/facts/cards.h"

#include <dlfcn.h>

#include <array>
#include <memory>

namespace facemae {
namespace {

/// A library that may be missing.
class Library {
 public:
  explicit Library(const char* name) : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}
  /// Null when it has no such function.
  template <class Function>
  Function* find(const char* name) const {
    return handle_ == nullptr ? nullptr : reinterpret_cast<Function*>(::dlsym(handle_, name));
  }

 private:
  void* handle_;  // stays: drivers do not like to be unloaded
};

// The few declarations of cuda.h and nvml.h that are asked for; a return of 0 is success.
using CuInit = int(unsigned flags);
using CuCount = int(int* count);
using CuName = int(char* name, int bytes, int device);
using CuAttribute = int(int* value, int attribute, int device);
using CuPeer = int(int* can, int device, int other);
constexpr int kMajor = 75, kMinor = 76, kMode = 20;  // CU_DEVICE_ATTRIBUTE_*
using NvmlInit = int();
using NvmlHandle = int(const char* bus, void** device);
using NvmlRows = int(void* device, unsigned* corrected, unsigned* uncorrected, unsigned* pending,
                     unsigned* failed);

void add_rows(std::vector<Card>& cards) {
  const Library nvml("libnvidia-ml.so.1");
  auto* init = nvml.find<NvmlInit>("nvmlInit_v2");
  auto* end = nvml.find<NvmlInit>("nvmlShutdown");
  auto* by_bus = nvml.find<NvmlHandle>("nvmlDeviceGetHandleByPciBusId_v2");
  auto* rows = nvml.find<NvmlRows>("nvmlDeviceGetRemappedRows");
  if (init == nullptr || end == nullptr || by_bus == nullptr || rows == nullptr || init() != 0) return;
  for (auto& card : cards) {
    void* device = nullptr;
    unsigned corrected = 0, uncorrected = 0, pending = 0, failed = 0;
    if (by_bus(card.bus.c_str(), &device) != 0 ||
        rows(device, &corrected, &uncorrected, &pending, &failed) != 0)
      continue;
    card.remap_pending = pending != 0;
    card.remap_failed = failed != 0;
  }
  end();
}

}  // namespace

std::vector<Card> cards_of_driver(std::vector<std::string>& apart) {
  const Library cuda("libcuda.so.1");
  auto* init = cuda.find<CuInit>("cuInit");
  auto* count_of = cuda.find<CuCount>("cuDeviceGetCount");
  auto* name_of = cuda.find<CuName>("cuDeviceGetName");
  auto* bus_of = cuda.find<CuName>("cuDeviceGetPCIBusId");
  auto* attribute = cuda.find<CuAttribute>("cuDeviceGetAttribute");
  auto* peer = cuda.find<CuPeer>("cuDeviceCanAccessPeer");
  int count = 0;
  if (init == nullptr || count_of == nullptr || name_of == nullptr || bus_of == nullptr ||
      attribute == nullptr || peer == nullptr || init(0) != 0 || count_of(&count) != 0)
    return {};
  std::vector<Card> cards;
  for (int device = 0; device < count; ++device) {  // devices are numbered from 0
    std::array<char, 128> name{}, bus{};
    Card card;
    if (name_of(name.data(), static_cast<int>(name.size()), device) == 0) card.name = name.data();
    if (bus_of(bus.data(), static_cast<int>(bus.size()), device) == 0) card.bus = bus.data();
    attribute(&card.major, kMajor, device);
    attribute(&card.minor, kMinor, device);
    attribute(&card.mode, kMode, device);
    cards.push_back(card);
  }
  for (int one = 0; one < count; ++one)
    for (int other = one + 1; other < count; ++other) {
      int can = 1;
      if (peer(&can, one, other) == 0 && can == 0)
        apart.push_back(cards[static_cast<std::size_t>(one)].bus + " and " +
                        cards[static_cast<std::size_t>(other)].bus);
    }
  add_rows(cards);
  return cards;
}

}  // namespace facemae
