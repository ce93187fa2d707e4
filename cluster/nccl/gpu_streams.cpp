#include "cluster/nccl/gpu_streams.h"

#include <c10/core/Event.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

namespace facemae {
namespace {

struct CudaEvent final : GpuStreams::Event {
  c10::Event event{c10::DeviceType::CUDA};
};
c10::Event& own(GpuStreams::Event& event) { return static_cast<CudaEvent&>(event).event; }

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
    auto event = std::make_shared<CudaEvent>();
    event->event.record(stream);
    return event;
  }
  void wait(c10::Stream stream, Event& event) override { own(event).block(stream); }
  bool finished(Event& event) override { return own(event).query(); }
  void keep(const torch::Tensor& tensor, c10::Stream stream) override { tensor.record_stream(stream); }

 private:
  c10::DeviceIndex device_;
  c10::cuda::CUDAStream communication_;
};

}  // namespace

std::shared_ptr<GpuStreams> cuda_streams(int device) { return std::make_shared<CudaStreams>(device); }

}  // namespace facemae
