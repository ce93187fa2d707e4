#pragma once
// The communicator of one process: every collective is a copy or nothing, on any device. It is as strict as
// the others, so that what would fail on many ranks fails on one.
#include <atomic>

#include "cluster/tensors/communicator.h"

namespace facemae {

class AloneCommunicator final : public Communicator {
 public:
  explicit AloneCommunicator(torch::Device device = torch::kCPU) : device_(device) {}
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  torch::Device device() const noexcept override { return device_; }
  Work all_reduce(torch::Tensor tensor, Reduce op) override;
  Work all_gather(torch::Tensor out, torch::Tensor in) override;
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override;
  Work broadcast(torch::Tensor tensor, int root) override;
  void abort() noexcept override { aborted_ = true; }

 private:
  void check_alive() const;
  torch::Device device_;
  std::atomic<bool> aborted_ = false;
};

}  // namespace facemae
