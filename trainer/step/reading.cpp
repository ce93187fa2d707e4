#include "trainer/step/reading.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

namespace facemae {

Reading::Reading(const torch::Tensor& numbers) {
  const torch::Tensor from = numbers.detach();
  if (from.is_cpu()) {
    host_ = from.clone();
    return;
  }
  host_ = torch::empty(from.sizes(), torch::TensorOptions().dtype(from.dtype()).pinned_memory(true));
  host_.copy_(from, /*non_blocking=*/true);
  arrived_.emplace(from.device().type());
  arrived_->record(c10::impl::VirtualGuardImpl(from.device().type()).getStream(from.device()));
}

std::vector<double> Reading::values() const {
  if (arrived_ && !arrived_->query()) arrived_->synchronize();
  const torch::Tensor wide = host_.to(torch::kFloat64);
  return {wide.data_ptr<double>(), wide.data_ptr<double>() + wide.numel()};
}

}  // namespace facemae
