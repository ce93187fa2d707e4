#include "model/facemae/drawn_ahead.h"

#include <torch/torch.h>

#include <cstring>

#include "core/error.h"

namespace facemae {

DrawnAhead::DrawnAhead(Draw draw, std::shared_ptr<SideStream> side)
    : draw_(std::move(draw)), side_(std::move(side)) {}

void DrawnAhead::fill(Set& set, const Draw& draw, SideStream& side, std::uint64_t number) {
  set.number.reset();
  const auto drawn = draw(number);
  std::size_t bytes = 0;
  for (const auto& tensor : drawn) bytes += tensor.nbytes();
  if (set.arrived) set.arrived->wait();  // copied from here two numbers ago
  if (!set.host.defined()) set.host = side.pinned(static_cast<std::int64_t>(bytes));
  std::int64_t at = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const auto size = static_cast<std::int64_t>(drawn[i].nbytes());
    const auto from = set.host.narrow(0, at, size);
    std::memcpy(from.mutable_data_ptr(), drawn[i].contiguous().const_data_ptr(), drawn[i].nbytes());
    side.copy(set.device[i], from.view(drawn[i].scalar_type()).view(drawn[i].sizes()));
    at += size;
  }
  set.arrived = side.mark();
  set.number = number;
}

std::vector<torch::Tensor> DrawnAhead::take(std::uint64_t number) {
  while (!job_.wait_for(std::chrono::seconds(1))) {
  }
  if (const auto failure = job_.take_failure(); !failure.empty())
    throw Error("drawing the weights of an embedder: " + failure);
  const auto& taken = sets_[next_];
  if (taken->number != number) {
    if (taken->device.empty()) {
      const auto drawn = draw_(number);
      for (const auto& set : sets_)
        for (const auto& tensor : drawn)
          set->device.push_back(torch::empty_like(tensor, tensor.options().device(side_->device())));
    }
    // Memory that was the computing stream's may still be read by what it has been given.
    side_->wait(*side_->mark_computing());
    fill(*taken, draw_, *side_, number);
  }
  side_->computing_waits(*taken->arrived);
  next_ = 1 - next_;
  // The other set was in use until now.
  job_.start([set = sets_[next_], draw = draw_, side = side_, read = side_->mark_computing(),
              number](const std::stop_token&) {
    side->wait(*read);
    fill(*set, draw, *side, number + 1);
  });
  return taken->device;
}

}  // namespace facemae
