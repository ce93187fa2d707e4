#pragma once
// A side stream of the CPU that puts off its copies until somebody waits for them: who forgets to wait finds old bytes.
#include <torch/torch.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cluster/tensors/side_stream.h"
#include "core/error.h"

namespace facemae::test {

class FakeSideStream final : public SideStream {
 public:
  torch::Device device() const override { return torch::kCPU; }
  torch::Tensor pinned(std::int64_t bytes) override {
    return torch::full({bytes}, 0xEE, torch::kUInt8);  // what was not copied shows
  }
  void copy(const torch::Tensor& to, const torch::Tensor& from) override {
    if (to.sizes() != from.sizes() || to.scalar_type() != from.scalar_type() || !to.is_contiguous() ||
        !from.is_contiguous())
      throw Error("a copy of two tensors that are not alike");
    const std::lock_guard lock(mutex_);
    copies_.push_back({to, from});
    events_.push_back("copy " + std::to_string(from.nbytes()));
  }
  MarkPtr mark() override {
    const std::lock_guard lock(mutex_);
    return std::make_shared<Point>(*this, copies_.size());
  }
  MarkPtr mark_computing() override {
    const std::lock_guard lock(mutex_);
    return std::make_shared<Point>(*this, 0);  // the CPU has done what it was given
  }
  void wait(const Mark&) override { note("side waits"); }
  void computing_waits(const Mark& mark) override {
    note("computing waits");
    pass(static_cast<const Point&>(mark).copies);
  }

  /// In order, since the last call: "copy BYTES", "side waits", "computing waits", "host waits".
  std::vector<std::string> take_events() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  struct Point final : Mark {
    Point(FakeSideStream& stream_, std::size_t copies_) : stream(stream_), copies(copies_) {}
    void wait() const override {
      if (stream.pass(copies)) stream.note("host waits");
    }
    FakeSideStream& stream;
    std::size_t copies;
  };

  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    events_.push_back(what);
  }
  /// Makes the first `count` copies. False when they were made before.
  bool pass(std::size_t count) {
    const std::lock_guard lock(mutex_);
    if (done_ >= count) return false;
    for (; done_ < count; ++done_) {
      const torch::NoGradGuard no_grad;
      copies_[done_].to.copy_(copies_[done_].from);
      copies_[done_] = {};
    }
    return true;
  }

  struct Copy {
    torch::Tensor to, from;
  };
  std::mutex mutex_;
  std::vector<Copy> copies_;
  std::size_t done_ = 0;
  std::vector<std::string> events_;
};

}  // namespace facemae::test
