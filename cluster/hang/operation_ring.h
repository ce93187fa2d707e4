#pragma once
// The last operations of one communicator, for the report of a hang. Free of LibTorch and MPI.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace facemae {

enum class OperationState { Pushed, Started, Finished };

/// A collective or host message. Numbers count from 1; every rank gives the same operation the same number.
struct Operation {
  using Clock = std::chrono::steady_clock;
  std::uint64_t number = 0;
  std::string what;  ///< "all_reduce float32[262144]"
  OperationState state = OperationState::Pushed;
  Clock::time_point pushed, started, finished;  ///< those that its state has reached
};

/// Any thread; a call takes a lock for as long as it takes to fill a slot.
class OperationRing {
 public:
  using Clock = Operation::Clock;
  explicit OperationRing(std::string name, std::size_t capacity = 64);

  std::uint64_t push(const std::string& what);  ///< returns its number
  void start(std::uint64_t number);             ///< it has been entered: waiting for the other ranks begins
  void finish(std::uint64_t number);            ///< it is complete, on this rank at least
  std::uint64_t pushed() const;

  /// When something finished last; the epoch when nothing has.
  Clock::time_point last_finished() const noexcept {
    return Clock::time_point(Clock::duration(last_finished_));
  }

  struct Snapshot {
    std::string name;
    std::uint64_t pushed = 0, started = 0, finished = 0;  ///< the highest numbers in these states or beyond
    std::vector<Operation> tail;                          ///< the last operations, oldest first
  };
  Snapshot snapshot() const;

 private:
  Operation* find(std::uint64_t number);  // null when newer operations have taken its slot

  std::string name_;
  mutable std::mutex mutex_;
  std::vector<Operation> slots_;
  std::uint64_t pushed_ = 0, started_ = 0, finished_ = 0;
  std::atomic<Clock::rep> last_finished_{0};
};

/// A blocking operation of the calling thread: pushed and started now, finished at the end of the scope
/// unless an exception leaves it.
class OngoingOperation {
 public:
  OngoingOperation(OperationRing& ring, const std::string& what);
  ~OngoingOperation();
  OngoingOperation(const OngoingOperation&) = delete;
  OngoingOperation& operator=(const OngoingOperation&) = delete;

 private:
  OperationRing& ring_;
  std::uint64_t number_;
  int exceptions_;
};

/// The rings of a process, which outlive their communicators as long as someone looks at them.
using OperationRings = std::vector<std::shared_ptr<const OperationRing>>;

}  // namespace facemae
