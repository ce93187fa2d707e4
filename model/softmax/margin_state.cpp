#include "model/softmax/margin_state.h"

#include <torch/torch.h>

namespace facemae {

MarginState::MarginState(const Margin& margin, torch::Device device, torch::ScalarType type)
    : kind_(margin_kind(margin.kind)) {
  if (any())
    value_ = torch::tensor({kind_.first_state[0], kind_.first_state[1]}, torch::kFloat64).to(device, type);
}

void MarginState::begin() {
  norms_.clear();
  cosines_.clear();
}

torch::Tensor MarginState::moved_by(const MarginFaces& all) {
  norms_.push_back(all.norms);
  if (!any()) return {};
  if (kind_.needs_cosines) cosines_.push_back(all.cosines);
  return kind_.next_state(value_, all);
}

void MarginState::end(const torch::Tensor& skipped) {
  if (!any() || norms_.empty()) return;
  const torch::NoGradGuard no_grad;
  const MarginFaces all{.cosines = cosines_.empty() ? torch::Tensor() : torch::cat(cosines_),
                        .norms = norms(),
                        .draws = {},
                        .state = {}};
  value_.copy_(torch::where(skipped > 0, value_, kind_.next_state(value_, all)));
}

torch::Tensor MarginState::norms() const { return norms_.empty() ? torch::Tensor() : torch::cat(norms_); }

}  // namespace facemae
