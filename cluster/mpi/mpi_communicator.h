#pragma once
// Tensor collectives over MPI: a duplicated communicator and one communication thread that makes blocking
// calls. It overlaps with computing without any polling, and gives a deadline one place to look at.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cluster/hang/work_queue.h"
#include "cluster/tensors/communicator.h"

namespace facemae {

inline constexpr std::int64_t kMpiCount = std::int64_t{1} << 30;  ///< elements in one MPI call, at most

/// Carries the tensors of one device: the CPU, unless told another. CPU tensors of float32, float64, int32,
/// int64 and uint8 are reduced in place; bfloat16, float16 and the tensors of another device go through a
/// float32 or host copy that is written back by wait(). Any type can be gathered and broadcast.
class MpiCommunicator final : public Communicator {
 public:
  /// MPI must be initialised with MPI_THREAD_MULTIPLE. largest_count: elements in one MPI call (tests make it
  /// small). part: among the ranks that give the same number, in their order; none: among all. All ranks, same order.
  explicit MpiCommunicator(const std::string& name, std::chrono::milliseconds deadline,
                           std::int64_t largest_count = kMpiCount, torch::Device device = torch::kCPU,
                           std::optional<int> part = {});

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }
  torch::Device device() const noexcept override { return device_; }
  Work all_reduce(torch::Tensor tensor, Reduce op) override;
  Work all_gather(torch::Tensor out, torch::Tensor in) override;
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override;
  Work broadcast(torch::Tensor tensor, int root) override;
  void abort() noexcept override { queue_.fail("aborted by this rank"); }

  /// Waits for all that was issued; for the orderly end.
  void drain() { queue_.drain(); }
  std::shared_ptr<const OperationRing> operations() const { return queue_.operations(); }

 private:
  /// Pushes a job that works on `result`, and copies `result` into `target` when the job is waited
  /// for, if they differ.
  Work issue(std::string what, std::function<void()> job, torch::Tensor result, torch::Tensor target);

  struct Comm;  // the MPI_Comm; shared with jobs, because a blocked one outlives us
  std::shared_ptr<Comm> comm_;
  int rank_ = 0, size_ = 1;
  torch::Device device_;
  WorkQueue queue_;
};

}  // namespace facemae
