#include "tests/rehearsal/streams.h"

#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include "tests/rehearsal/device.h"

namespace facemae::rehearsal {
namespace {

struct StandInEvent final : GpuStreams::Event {
  c10::Event event{kType};
};

class StandInStreams final : public GpuStreams {
 public:
  explicit StandInStreams(torch::Device device)
      : device_(device), communication_(guard_.getStreamFromGlobalPool(device, /*isHighPriority=*/true)) {}

  torch::Device device() const noexcept override { return device_; }
  void use_device() override { guard_.setDevice(device_); }
  c10::Stream current() override { return guard_.getStream(device_); }
  c10::Stream communication() override { return communication_; }
  void* native(c10::Stream stream) override {
    TORCH_CHECK(stream == communication_, "a collective on a stream of others");
    return &communication_;
  }
  std::shared_ptr<Event> record(c10::Stream stream) override {
    auto event = std::make_shared<StandInEvent>();
    event->event.record(stream);
    return event;
  }
  void wait(c10::Stream stream, Event& event) override { own(event).block(stream); }
  bool finished(Event& event) override { return own(event).query(); }
  void keep(const torch::Tensor& tensor, c10::Stream stream) override { tensor.record_stream(stream); }

 private:
  static c10::Event& own(Event& event) { return static_cast<StandInEvent&>(event).event; }

  c10::impl::VirtualGuardImpl guard_{kType};
  torch::Device device_;
  c10::Stream communication_;
};

}  // namespace

std::shared_ptr<GpuStreams> stand_in_streams(torch::Device device) {
  return std::make_shared<StandInStreams>(device);
}

}  // namespace facemae::rehearsal
