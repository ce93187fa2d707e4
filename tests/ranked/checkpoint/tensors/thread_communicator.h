#pragma once
// A communicator between ranks that are threads, which carries what restoring hands to it and is as strict as
// the real ones about the device.
#include <torch/torch.h>

#include <cstring>
#include <string>

#include "cluster/tensors/communicator.h"
#include "cluster/tensors/shapes.h"
#include "core/error.h"
#include "tests/ranked/checkpoint/tensors/thread_control.h"

namespace facemae::test {

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(Control& control, torch::Device device) : control_(control), device_(device) {}
  int rank() const noexcept override { return control_.rank(); }
  int size() const noexcept override { return control_.size(); }
  torch::Device device() const noexcept override { return device_; }
  Work broadcast(torch::Tensor tensor, int root) override {
    check_tensor(tensor, device_, "broadcast");
    const std::string own(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
    const std::string sent = control_.broadcast(own, root);
    std::memcpy(tensor.mutable_data_ptr(), sent.data(), sent.size());
    ++broadcasts;
    return {};
  }
  Work all_reduce(torch::Tensor, Reduce) override { throw Error("restoring reduces nothing"); }
  Work all_gather(torch::Tensor, torch::Tensor) override { throw Error("restoring gathers nothing"); }
  Work reduce_scatter(torch::Tensor, torch::Tensor, Reduce) override {
    throw Error("restoring reduces nothing");
  }
  void check() override {
    ++checks;
    if (lost) throw PeerLost("a link failed (pretended)");
  }
  void abort() noexcept override {}

  int broadcasts = 0, checks = 0;
  bool lost = false;

 private:
  Control& control_;
  torch::Device device_;
};

}  // namespace facemae::test
