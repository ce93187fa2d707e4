#include "cluster/tensors/side_stream.h"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

namespace facemae {
namespace {

using DeviceCalls = c10::impl::VirtualGuardImpl;

class EventMark final : public SideStream::Mark {
 public:
  EventMark(torch::Device device, const c10::Stream& stream) : device_(device), event_(device.type()) {
    event_.record(stream);
  }
  void wait() const override {
    DeviceCalls(device_.type()).setDevice(device_);  // a thread of ours must not wake another device
    if (!event_.query()) event_.synchronize();
  }
  void block(const c10::Stream& stream) const { event_.block(stream); }

 private:
  torch::Device device_;
  c10::Event event_;
};

class AcceleratorStream final : public SideStream {
 public:
  explicit AcceleratorStream(torch::Device device)
      : calls_(device.type()), device_(device), stream_(calls_.getStreamFromGlobalPool(device)) {}

  torch::Device device() const override { return device_; }
  torch::Tensor pinned(std::int64_t bytes) override {
    return torch::empty({bytes}, torch::TensorOptions().dtype(torch::kUInt8).pinned_memory(true));
  }
  void copy(const torch::Tensor& to, const torch::Tensor& from) override {
    calls_.setDevice(device_);
    const torch::NoGradGuard no_grad;
    const c10::StreamGuard beside(stream_);
    to.copy_(from, /*non_blocking=*/true);
  }
  MarkPtr mark() override { return std::make_shared<EventMark>(device_, stream_); }
  MarkPtr mark_computing() override {
    return std::make_shared<EventMark>(device_, calls_.getStream(device_));
  }
  void wait(const Mark& mark) override { static_cast<const EventMark&>(mark).block(stream_); }
  void computing_waits(const Mark& mark) override {
    static_cast<const EventMark&>(mark).block(calls_.getStream(device_));
  }

 private:
  DeviceCalls calls_;
  torch::Device device_;
  c10::Stream stream_;
};

}  // namespace

std::shared_ptr<SideStream> side_stream(torch::Device device) {
  if (device.is_cpu() || device.is_meta()) return nullptr;
  return std::make_shared<AcceleratorStream>(device);
}

}  // namespace facemae
