#include "cluster/nccl/gpu_streams.h"

#include <c10/core/Event.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

#include <mutex>
#include <vector>

namespace facemae {
namespace {

struct CudaEvent final : GpuStreams::Event {
  c10::Event event{c10::DeviceType::CUDA};
};
c10::Event& own(GpuStreams::Event& event) { return static_cast<CudaEvent&>(event).event; }

/// Events that nobody holds any more, to be recorded again instead of made anew for each collective. A stream that was told
/// to wait for one waits for the point that it stood for then.
class IdleEvents {
 public:
  std::unique_ptr<CudaEvent> take() {
    const std::lock_guard lock(mutex_);
    if (events_.empty()) return std::make_unique<CudaEvent>();
    auto event = std::move(events_.back());
    events_.pop_back();
    return event;
  }
  void give(std::unique_ptr<CudaEvent> event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<CudaEvent>> events_;
};

class CudaStreams final : public GpuStreams {
 public:
  explicit CudaStreams(int device)
      : device_(static_cast<c10::DeviceIndex>(device)),
        communication_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device_)) {}

  torch::Device device() const noexcept override { return {torch::kCUDA, device_}; }
  void use_device() override { c10::cuda::set_device(device_); }
  c10::Stream current() override { return c10::cuda::getCurrentCUDAStream(device_).unwrap(); }
  c10::Stream communication() override { return communication_.unwrap(); }
  void* native(c10::Stream stream) override { return c10::cuda::CUDAStream(stream).stream(); }
  std::shared_ptr<Event> record(c10::Stream stream) override {
    auto event = idle_->take();
    event->event.record(stream);
    return {event.release(),
            [idle = idle_](CudaEvent* used) { idle->give(std::unique_ptr<CudaEvent>(used)); }};
  }
  void wait(c10::Stream stream, Event& event) override { own(event).block(stream); }
  bool finished(Event& event) override { return own(event).query(); }
  void keep(const torch::Tensor& tensor, c10::Stream stream) override { tensor.record_stream(stream); }

 private:
  c10::DeviceIndex device_;
  c10::cuda::CUDAStream communication_;
  std::shared_ptr<IdleEvents> idle_ = std::make_shared<IdleEvents>();  ///< events outlive the streams
};

}  // namespace

std::shared_ptr<GpuStreams> cuda_streams(int device) { return std::make_shared<CudaStreams>(device); }

}  // namespace facemae
