#pragma once
// Copies between the host and an accelerator beside its computing, for which the host does not wait. Made of what
// LibTorch offers for every accelerator (c10::Stream, c10::Event), so nothing of CUDA is included; tests have one that
// takes notes.
#include <torch/types.h>

#include <cstdint>
#include <memory>

namespace facemae {

/// One stream that only copies. Its order with the streams that compute is made by marks, on the device. To be used
/// from one thread at a time.
class SideStream {
 public:
  /// A point in a stream.
  class Mark {
   public:
    virtual ~Mark() = default;
    /// Blocks the calling thread, whichever it is, until the device has come here.
    virtual void wait() const = 0;
  };
  using MarkPtr = std::shared_ptr<const Mark>;

  virtual ~SideStream() = default;
  virtual torch::Device device() const = 0;
  /// Page-locked memory of the host, from and to which the device copies by itself: uint8 [bytes]. From any thread.
  virtual torch::Tensor pinned(std::int64_t bytes) = 0;
  /// Enqueues a copy between page-locked memory and the device. Both are contiguous, of one type and size, and must be
  /// kept, and kept unchanged, until a mark that is made afterwards has been passed.
  virtual void copy(const torch::Tensor& to, const torch::Tensor& from) = 0;
  virtual MarkPtr mark() = 0;               ///< behind the copies so far
  virtual MarkPtr mark_computing() = 0;     ///< behind all that the calling thread's stream was given so far
  virtual void wait(const Mark& mark) = 0;  ///< further copies begin behind it
  virtual void computing_waits(
      const Mark& mark) = 0;  ///< what the calling thread's stream is given next begins behind it
};

/// Null for the CPU, to which nothing needs to be copied, and for meta tensors, which have no memory.
std::shared_ptr<SideStream> side_stream(torch::Device device);

}  // namespace facemae
