#pragma once
// A communicator between ranks that are threads, as strict as the real ones about the device. Sums are made in the
// order of the ranks.
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
  Work all_reduce(torch::Tensor tensor, Reduce op) override {
    check_tensor(tensor, device_, "all_reduce");
    tensor.copy_(sum_of_all(tensor, op));
    return {};
  }
  Work all_gather(torch::Tensor out, torch::Tensor in) override {
    check_parts(out, in, size(), device_, "all_gather");
    for (int root = 0; root < size(); ++root) {
      const auto part = out.narrow(0, root * in.numel(), in.numel());
      if (root == rank()) part.copy_(in);
      (void)broadcast(part, root);
    }
    return {};
  }
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override {
    check_parts(in, out, size(), device_, "reduce_scatter");
    out.copy_(sum_of_all(in, op).narrow(0, rank() * out.numel(), out.numel()));
    return {};
  }
  void check() override {
    ++checks;
    if (lost) throw PeerLost("a link failed (pretended)");
  }
  void abort() noexcept override {}

  int broadcasts = 0, checks = 0;
  bool lost = false;

 private:
  torch::Tensor sum_of_all(const torch::Tensor& own, Reduce op) {
    if (op != Reduce::Sum) throw Error("threads only add");
    auto sum = torch::zeros_like(own);
    for (int root = 0; root < size(); ++root) {
      const auto part = own.detach().clone();
      (void)broadcast(part, root);
      sum.add_(part);
    }
    return sum;
  }

  Control& control_;
  torch::Device device_;
};

}  // namespace facemae::test
