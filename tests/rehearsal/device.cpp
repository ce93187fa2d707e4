// Memory, devices, streams and events of the stand-in.
#include "tests/rehearsal/device.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>

#include "tests/rehearsal/counters.h"
#include "tests/rehearsal/operators.h"

namespace facemae::rehearsal {
namespace {

thread_local c10::DeviceIndex this_threads_device = 0;
thread_local std::array<c10::StreamId, kDevices> this_threads_streams{};
std::array<std::atomic<bool>, kDevices> contexts{};
std::atomic<c10::StreamId> last_stream = 0;  // 0 is every device's own

std::mutex streams_mutex;
std::map<std::pair<int, c10::StreamId>, Gates> held;
std::vector<std::pair<Gates, c10::Storage>> kept;

bool all_open(const Gates& gates) {
  return std::all_of(gates.begin(), gates.end(), [](const auto& gate) { return gate->is_open(); });
}

c10::Stream stream_of(c10::DeviceIndex device, c10::StreamId id) {
  return c10::Stream(c10::Stream::UNSAFE, {kType, device}, id);
}

c10::DeviceIndex checked(c10::Device device) {
  const c10::DeviceIndex index = device.has_index() ? device.index() : this_threads_device;
  TORCH_CHECK(device.type() == kType && index < kDevices, device, " is no device of the rehearsal's ",
              kDevices);
  return index;
}

struct DeviceMemory final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    touch(this_threads_device);
    void* const at = c10::alloc_cpu(bytes);
    return {at, at, &c10::free_cpu, {kType, this_threads_device}};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &c10::free_cpu; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
};

/// Page-locked host memory, as far as is_pinned() can tell.
struct PinnedMemory final : c10::Allocator {
  c10::DataPtr allocate(std::size_t bytes) override {
    void* const at = c10::alloc_cpu(bytes);
    const std::lock_guard lock(mutex());
    blocks()[at] = bytes;
    return {at, at, &release, torch::kCPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
  static bool holds(const void* at) {
    const std::lock_guard lock(mutex());
    const auto after = blocks().upper_bound(at);
    if (after == blocks().begin()) return false;
    const auto& [begin, bytes] = *std::prev(after);
    return static_cast<const char*>(at) < static_cast<const char*>(begin) + bytes;
  }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static std::map<const void*, std::size_t>& blocks() {
    static auto* const all = new std::map<const void*, std::size_t>;  // outlives tensors with static storage
    return *all;
  }
  static void release(void* at) {
    {
      const std::lock_guard lock(mutex());
      blocks().erase(at);
    }
    c10::free_cpu(at);
  }
};

struct EventNote {
  Gates gates;
  Gate::Clock::time_point recorded;
  /// When the device came to it: it computes at once, but for what it waits for.
  Gate::Clock::time_point passed() const {
    auto at = recorded;
    for (const auto& gate : gates) at = std::max(at, gate->opened());
    return at;
  }
};

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kType; }
  c10::Device getDevice() const override { return {kType, this_threads_device}; }
  c10::Device exchangeDevice(c10::Device device) const override {
    const c10::Device before = getDevice();
    setDevice(device);
    return before;
  }
  void setDevice(c10::Device device) const override { this_threads_device = checked(device); }
  void uncheckedSetDevice(c10::Device device) const noexcept override {
    if (device.has_index()) this_threads_device = device.index();
  }
  c10::DeviceIndex deviceCount() const noexcept override { return kDevices; }

  c10::Stream getStream(c10::Device device) const override {
    const auto index = checked(device);
    return stream_of(index, this_threads_streams[static_cast<std::size_t>(index)]);
  }
  c10::Stream getDefaultStream(c10::Device device) const override { return stream_of(checked(device), 0); }
  c10::Stream getNewStream(c10::Device device, int) const override {
    return stream_of(checked(device), ++last_stream);
  }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool) const override {
    return getNewStream(device, 0);
  }
  c10::Stream exchangeStream(c10::Stream stream) const override {
    auto& own = this_threads_streams[static_cast<std::size_t>(checked(stream.device()))];
    return stream_of(stream.device_index(), std::exchange(own, stream.id()));
  }
  bool queryStream(const c10::Stream& stream) const override { return pending(stream).empty(); }
  void synchronizeStream(const c10::Stream& stream) const override {
    count_wait();
    wait_for(stream);
  }
  void synchronizeDevice(c10::DeviceIndex device) const override {
    count_wait();
    std::vector<c10::Stream> streams;
    {
      const std::lock_guard lock(streams_mutex);
      for (const auto& [stream, gates] : held)
        if (stream.first == device) streams.push_back(stream_of(device, stream.second));
    }
    for (const auto& stream : streams) wait_for(stream);
  }

  void record(void** event, const c10::Stream& stream, c10::DeviceIndex, c10::EventFlag) const override {
    touch(this_threads_device);
    if (*event == nullptr) *event = new EventNote;
    static_cast<EventNote*>(*event)->gates = pending(stream);
    static_cast<EventNote*>(*event)->recorded = Gate::Clock::now();
  }
  void block(void* event, const c10::Stream& stream) const override {
    if (event != nullptr) hold(stream, static_cast<EventNote*>(event)->gates);
  }
  bool queryEvent(void* event) const override {
    if (event == nullptr) return true;
    touch(this_threads_device);
    return all_open(static_cast<EventNote*>(event)->gates);
  }
  void synchronizeEvent(void* event) const override {
    count_wait();
    if (event == nullptr) return;
    for (const auto& gate : static_cast<EventNote*>(event)->gates) gate->wait();
  }
  /// Milliseconds, of events that have come.
  double elapsedTime(void* first, void* second, c10::DeviceIndex) const override {
    return std::chrono::duration<double, std::milli>(static_cast<EventNote*>(second)->passed() -
                                                     static_cast<EventNote*>(first)->passed())
        .count();
  }
  /// As c10's guard of CUDA: goes to the event's device and back, which makes a context where it came from.
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override {
    if (event == nullptr) return;
    touch(this_threads_device);
    delete static_cast<EventNote*>(event);
  }
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex device) const override { return has_context(device); }
  c10::DeviceIndex deviceCount() const override { return kDevices; }
  void setCurrentDevice(c10::DeviceIndex device) const override { Guard().setDevice({kType, device}); }
  c10::DeviceIndex getCurrentDevice() const override { return this_threads_device; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex device) const override {
    return Guard().exchangeDevice({kType, device}).index();
  }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex device) const override {
    return exchangeDevice(device);
  }
  /// A generator of the CPU, as its kernels want one.
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const auto one = at::make_generator<at::CPUGeneratorImpl>();
    return one;
  }
  bool isPinnedPtr(const void* data) const override { return PinnedMemory::holds(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override {
    static PinnedMemory memory;
    return &memory;
  }
};

DeviceMemory device_memory;

}  // namespace

void install() {
  static const bool once = [] {
    c10::register_privateuse1_backend("rehearsal");
    c10::impl::registerDeviceGuard(kType, new Guard);  // LibTorch keeps them for ever
    at::RegisterPrivateUse1HooksInterface(new Hooks);
    c10::SetAllocator(kType, &device_memory);
    register_operators();
    register_autocast();
    return true;
  }();
  (void)once;
}

Gates pending(c10::Stream stream) {
  const std::lock_guard lock(streams_mutex);
  auto& gates = held[{stream.device_index(), stream.id()}];
  std::erase_if(gates, [](const auto& gate) { return gate->is_open(); });
  return gates;
}

void hold(c10::Stream stream, const Gates& gates) {
  const std::lock_guard lock(streams_mutex);
  auto& all = held[{stream.device_index(), stream.id()}];
  all.insert(all.end(), gates.begin(), gates.end());
}

void keep(const c10::Storage& memory, c10::Stream stream) {
  const Gates gates = pending(stream);
  const std::lock_guard lock(streams_mutex);
  std::erase_if(kept, [](const auto& one) { return all_open(one.first); });
  if (!gates.empty()) kept.emplace_back(gates, memory);
}

void wait_for(c10::Stream stream) {
  for (const auto& gate : pending(stream)) gate->wait();
}

bool has_context(int device) { return contexts[static_cast<std::size_t>(device)]; }
void touch(int device) { contexts[static_cast<std::size_t>(device)] = true; }
int current_device() { return this_threads_device; }

}  // namespace facemae::rehearsal
