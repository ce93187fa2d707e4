#pragma once
// The data plane: few collectives on tensors, issued in the same order by every rank.
#include <torch/types.h>

#include <functional>
#include <utility>

namespace facemae {

enum class Reduce { Sum, Min, Max };

/// A collective in flight. wait() blocks the host (CPU) or orders the current stream after it (CUDA); it
/// throws PeerLost when the deadline passes or the back end reports a lost peer. The back end keeps the
/// tensors alive until the collective is done. Destroying one never communicates: a lost peer must not hang
/// the unwinding that reports it.
class [[nodiscard]] Work {
 public:
  Work() = default;  ///< already complete
  explicit Work(std::function<void()> finish) : finish_(std::move(finish)) {}
  void wait() {
    if (auto finish = std::exchange(finish_, nullptr)) finish();
  }

 private:
  std::function<void()> finish_;
};

/// Back ends: one process alone, MPI, NCCL. Tensors are contiguous and on device(); a tensor of another
/// device is refused by Error before anything is issued. float32, float64, int64, int32 and uint8 at least.
/// All ranks call the same verbs in the same order with equal shapes.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  virtual int rank() const noexcept = 0;
  virtual int size() const noexcept = 0;
  virtual torch::Device device() const noexcept = 0;  ///< of every tensor that it carries

  virtual Work all_reduce(torch::Tensor tensor, Reduce op) = 0;  ///< in place
  virtual Work all_gather(torch::Tensor out,
                          torch::Tensor in) = 0;  ///< out holds size() times in, in rank order
  /// in holds size() times out; rank r gets the reduction of slice r.
  virtual Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) = 0;
  virtual Work broadcast(torch::Tensor tensor, int root) = 0;

  /// Throws PeerLost unless all that this rank issued has ended well, and waits on the host until it has. To
  /// be called before anything is done with results that cannot be undone: on CUDA Work::wait() orders
  /// streams alone, and a collective that is aborted leaves half-reduced numbers behind. Nothing to do where
  /// wait() blocks the host, which has told then.
  virtual void check() {}
  /// Throws PeerLost when it is known already that something issued did not end well; waits for nothing.
  virtual void check_known() {}

  /// Fails every pending and future collective on this rank. Callable from any thread, more than once.
  virtual void abort() noexcept = 0;

 protected:
  Communicator() = default;
};

}  // namespace facemae
