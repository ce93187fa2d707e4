#pragma once
// Tensor collectives over NCCL, on one communication stream. Communicators are non-blocking, so that nothing
// can hang: calls are polled up to a deadline, and a watcher looks for asynchronous errors and for
// collectives that never end.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "cluster/hang/operation_ring.h"
#include "cluster/host/control.h"
#include "cluster/nccl/gpu_streams.h"
#include "cluster/nccl/nccl_api.h"
#include "cluster/tensors/communicator.h"

namespace facemae {

/// wait() orders the current stream after the collective. One NCCL communicator per device serves gradients
/// and gathers alike, which gives all ranks one order. After a failure NCCL is aborted, exactly once, and
/// every call throws PeerLost.
class NcclCommunicator final : public Communicator {
 public:
  struct Options {
    std::chrono::milliseconds deadline = std::chrono::minutes(10);  ///< of one collective, from issue to end
    std::chrono::milliseconds watch_every{100};  ///< 0: no watcher thread, call watch() yourself (tests)
  };
  /// Shares NCCL's unique id over `control` and joins. All ranks, same order; the CUDA device must be set.
  NcclCommunicator(nccl::Api api, std::shared_ptr<GpuStreams> streams, Control& control, Options options);
  /// Aborts NCCL unless close() was called: the orderly end of NCCL is a collective.
  ~NcclCommunicator() override;

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }
  torch::Device device() const noexcept override { return streams_->device(); }
  Work all_reduce(torch::Tensor tensor, Reduce op) override;
  Work all_gather(torch::Tensor out, torch::Tensor in) override;
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override;
  Work broadcast(torch::Tensor tensor, int root) override;
  void check() override;
  void check_known() override;
  void abort() noexcept override;

  /// One look at what is in flight; aborts NCCL when it reports an error or a collective
  /// is past its deadline.
  void watch() noexcept;
  /// Orderly end: finalize, then destroy. All ranks.
  void close();
  /// An operation counts as finished once watch() has seen its end on the device.
  std::shared_ptr<const OperationRing> operations() const { return operations_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Flight {  // a collective on its way
    std::string what;
    std::uint64_t number;  // of the operation
    std::shared_ptr<GpuStreams::Event> end;
    Clock::time_point issued;
  };
  template <class Enqueue>
  Work submit(std::string what, std::initializer_list<torch::Tensor> tensors, Enqueue enqueue);
  // All of these need mutex_.
  void look() noexcept;
  void settle(const std::string& what, nccl::Code code);
  void lose(const std::string& reason) noexcept;
  void throw_if_lost() const;

  nccl::Api api_;
  std::shared_ptr<GpuStreams> streams_;
  Options options_;
  int rank_, size_;
  mutable std::mutex mutex_;  // NCCL takes one thread at a time per communicator
  nccl::Comm comm_ = nullptr;
  bool ended_ = false;                 // aborted or destroyed: never again
  std::atomic<bool> give_up_ = false;  // abort() was called while another thread polls
  std::string lost_;
  std::shared_ptr<OperationRing> operations_ = std::make_shared<OperationRing>("nccl");
  std::deque<Flight> in_flight_;
  Clock::time_point last_end_ = Clock::now();
  std::jthread watcher_;
};

}  // namespace facemae
