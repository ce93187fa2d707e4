#pragma once
// One communication thread with a queue: jobs run strictly in the order they were pushed, and waiting has a
// deadline. Free of LibTorch and MPI, so that a race detector can see all of it.
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "cluster/hang/operation_ring.h"

namespace facemae {

/// A job may block for ever in a foreign call (a blocking MPI collective whose peer is gone
/// cannot be failed). So the thread shares its state by ownership and is left behind, blocked,
/// when the queue goes away.
class WorkQueue {
 public:
  class Job;  ///< a job in the queue; holds what the job captured until it ran
  using Handle = std::shared_ptr<Job>;

  /// name: for messages. limit: how long a wait may see no job finish before it throws PeerLost.
  WorkQueue(std::string name, std::chrono::milliseconds limit);
  /// Drops jobs that have not begun; joins the thread, or leaves it behind when its job does not end at once.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Adds a job; `what` names it in messages. Throws PeerLost when the queue has failed.
  Handle push(std::string what, std::function<void()> job);
  /// Blocks until the job is done. Rethrows its exception; throws PeerLost, and fails the queue, when nothing
  /// finished for the limit, counted from this call or the last finished job.
  void wait(const Handle& job);
  /// Waits for everything that was pushed.
  void drain();
  /// Fails all pending and future jobs with PeerLost(reason). Any thread, more than once;
  /// the first reason stays.
  void fail(const std::string& reason) noexcept;
  /// What was pushed, begun and finished lately.
  std::shared_ptr<const OperationRing> operations() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::unique_ptr<class WorkThread> thread_;
};

}  // namespace facemae
