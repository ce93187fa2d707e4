#pragma once
// A stand-in accelerator for tests: a second type of device in LibTorch (PrivateUse1) whose memory is the host's
// and whose kernels are the CPU's. It refuses what CUDA refuses, and counts what costs time on CUDA.
//
// Kernels run as they are launched, on the calling thread. What a stream has to wait for (a collective) is a gate:
// the next operator on that stream waits until it opens, as CUDA's stream would, and not the host before that.
#include <c10/core/Stream.h>
#include <torch/types.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

namespace facemae::rehearsal {

inline constexpr torch::DeviceType kType = torch::kPrivateUse1;
inline constexpr int kDevices = 8;  ///< that every process sees

/// Registers the device "rehearsal" with LibTorch. More than once is once.
void install();

/// Opens once, when the work that streams wait for is done or given up.
class Gate {
 public:
  using Clock = std::chrono::steady_clock;
  void open() {
    opened_ = Clock::now();
    open_ = true;
    open_.notify_all();
  }
  bool is_open() const { return open_; }
  void wait() const { open_.wait(false); }
  Clock::time_point opened() const { return opened_; }  ///< once it is open

 private:
  Clock::time_point opened_;
  std::atomic<bool> open_ = false;
};
using Gates = std::vector<std::shared_ptr<Gate>>;

/// What the stream has been given so far and is not done: what an event that is recorded now waits for.
Gates pending(c10::Stream stream);
/// The stream comes to what is launched next on it when these are open.
void hold(c10::Stream stream, const Gates& gates);
/// The memory stays until the stream is done with what it has been given so far.
void keep(const c10::Storage& memory, c10::Stream stream);
/// The thread goes on when the stream is done.
void wait_for(c10::Stream stream);

/// CUDA makes a context on a device that is merely worked with, which takes memory of it: has this process launched
/// anything there, allocated memory of it, or touched events in a thread whose device it is?
bool has_context(int device);
void touch(int device);
int current_device();  ///< of the calling thread

}  // namespace facemae::rehearsal
