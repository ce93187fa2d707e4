#pragma once
// Random tensors that follow from a number, at the device before they are asked for: a thread draws those of the next
// number while a step computes with these.
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cluster/tensors/side_stream.h"
#include "core/background_job.h"

namespace facemae {

/// To be used from one thread. Two sets of tensors on the device take turns.
class DrawnAhead {
 public:
  /// On the host, from any thread; the same shapes for every number.
  using Draw = std::function<std::vector<torch::Tensor>(std::uint64_t number)>;
  DrawnAhead(Draw draw, std::shared_ptr<SideStream> side);

  /// The tensors of `number` on the device, to be used until the next call; begins with those of `number` + 1. The host
  /// waits for what is not drawn yet, the calling thread's stream for what is not copied yet. Throws what drawing threw.
  std::vector<torch::Tensor> take(std::uint64_t number);

 private:
  /// Owned by the job, too.
  struct Set {
    std::optional<std::uint64_t> number;
    torch::Tensor host;  ///< page-locked
    std::vector<torch::Tensor> device;
    SideStream::MarkPtr arrived;
  };
  static void fill(Set& set, const Draw& draw, SideStream& side, std::uint64_t number);

  Draw draw_;
  std::shared_ptr<SideStream> side_;
  std::array<std::shared_ptr<Set>, 2> sets_ = {std::make_shared<Set>(), std::make_shared<Set>()};
  std::size_t next_ = 0;  ///< the set that is not in use
  BackgroundJob job_;     // last: it ends first
};

}  // namespace facemae
