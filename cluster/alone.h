#pragma once
// The communicator of one process: every collective is a copy or nothing, on any device.
#include <atomic>

#include "cluster/communicator.h"

namespace facemae {

class AloneCommunicator final : public Communicator {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  Work all_reduce(torch::Tensor tensor, Reduce op) override;
  Work all_gather(torch::Tensor out, torch::Tensor in) override;
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override;
  Work broadcast(torch::Tensor tensor, int root) override;
  void abort() noexcept override { aborted_ = true; }

 private:
  void check_alive() const;
  std::atomic<bool> aborted_ = false;
};

}  // namespace facemae
