#pragma once
// The little that the NCCL communicator needs of CUDA streams and events; tests have one
// that only takes notes.
#include <torch/types.h>

#include <memory>

namespace facemae {

class GpuStreams {
 public:
  /// A point in a stream.
  class Event {
   public:
    virtual ~Event() = default;
  };
  virtual ~GpuStreams() = default;
  virtual torch::Device device() const noexcept = 0;
  /// Makes the device that of the calling thread. A thread of our own begins with it: whatever it does with
  /// events would otherwise begin with device 0, and make a context there.
  virtual void use_device() = 0;
  virtual c10::Stream current() = 0;             ///< the calling thread's stream on our device
  virtual c10::Stream communication() = 0;       ///< one stream of our own, of high priority
  virtual void* native(c10::Stream stream) = 0;  ///< cudaStream_t
  virtual std::shared_ptr<Event> record(c10::Stream stream) = 0;
  virtual void wait(c10::Stream stream, Event& event) = 0;  ///< the stream waits, the host does not
  virtual bool finished(Event& event) = 0;
  /// Keeps the tensor's memory from being reused before what `stream` has been given so far is done.
  virtual void keep(const torch::Tensor& tensor, c10::Stream stream) = 0;
};

/// CUDA's; only where NCCL is built.
std::shared_ptr<GpuStreams> cuda_streams(int device);

}  // namespace facemae
