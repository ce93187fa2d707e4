#pragma once
// What LibTorch allocates, as its own profiler would hear of it.
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>

namespace facemae {

/// Counts while it lives: what this thread, and the backward passes that it begins, allocate on devices of one type.
/// Memory that lies outside of tensors (oneDNN's scratch, libraries) is not seen.
class MemoryMeter {
 public:
  explicit MemoryMeter(c10::DeviceType type)
      : counter_(std::make_shared<Counter>(type)), guard_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}

  /// Forgets the peak: what is allocated now becomes 0.
  void restart() { counter_->restart(); }
  std::int64_t peak() const { return counter_->peak(); }  ///< bytes

 private:
  class Counter final : public c10::MemoryReportingInfoBase {
   public:
    explicit Counter(c10::DeviceType type) : type_(type) {}
    void reportMemoryUsage(void* /*ptr*/, std::int64_t bytes, std::size_t, std::size_t,
                           c10::Device device) override {
      if (device.type() != type_) return;
      const std::lock_guard lock(mutex_);
      now_ += bytes;
      peak_ = std::max(peak_, now_);
    }
    bool memoryProfilingEnabled() const override { return true; }
    void restart() {
      const std::lock_guard lock(mutex_);
      now_ = peak_ = 0;
    }
    std::int64_t peak() const {
      const std::lock_guard lock(mutex_);
      return peak_;
    }

   private:
    c10::DeviceType type_;
    mutable std::mutex mutex_;
    std::int64_t now_ = 0, peak_ = 0;
  };

  std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard guard_;
};

}  // namespace facemae
