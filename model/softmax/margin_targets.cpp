#include "model/softmax/margin_targets.h"

#include <torch/torch.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace facemae {
namespace {

using torch::Tensor;

/// [n]; 0 where `ours` is not true. `column` [n]: of the own class among the active ones, or of any.
Tensor own_cosines(const Tensor& faces, const Tensor& column, const Tensor& ours,
                   const ActiveClasses& active) {
  if (active.centres.size(0) == 0) return torch::zeros({faces.size(0)}, faces.options());
  const auto products = (faces * active.centres.index_select(0, column)).sum(1);
  return torch::where(ours, products.mul_(active.inverse.index_select(0, column)), 0);
}

}  // namespace

MarginTargets::MarginTargets(Tensor embeddings, const Tensor& labels, const Tensor& draws,
                             ClassCentres& centres, const SoftmaxConfig& config, MarginState& state)
    : config_(config),
      kind_(margin_kind(config.margin.kind)),
      embeddings_(std::move(embeddings)),
      unit_(embeddings_),
      place_(centres.place_of(labels)) {
  const auto column = place_.clamp(0, std::max<std::int64_t>(0, centres.active().centres.size(0) - 1));
  ours_ = centres.active().centres.size(0) > 0 ? column.eq(place_) : torch::zeros_like(place_, torch::kBool);
  const auto cosines = own_cosines(faces(), column, ours_, centres.active());
  all_ = {.cosines = cosines, .norms = unit_.norms(), .draws = draws, .state = {}};
  if (kind_.needs_cosines) {
    all_.cosines = cosines.clone();  // but for one rank's each is 0: exact in any order
    centres.ranks().all_reduce(all_.cosines, Reduce::Sum).wait();
  }
  all_.state = state.moved_by(all_);
  {
    const torch::AutoGradMode graph(true);
    leaves_ = {.cosines = cosines.detach().requires_grad_(true),
               .norms = all_.norms.detach().requires_grad_(true),
               .draws = draws,
               .state = all_.state};
    moved_ = kind_.move(leaves_, config_.margin);
    if (kind_.penalty != nullptr) penalty_ = kind_.penalty(leaves_, config_.margin);
  }
  const double scale = config_.margin.scale;
  logit_ = torch::where(ours_, moved_.detach() * scale, 0);
  plain_ = torch::where(ours_, cosines.clamp(-1, 1) * scale, 0);
}

LogitConfig MarginTargets::logit_config() const {
  const auto row_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(1, faces().size(0))) *
                         static_cast<std::uint64_t>(faces().element_size());
  LogitConfig logits{.scale = config_.margin.scale,
                     .classes_at_once = static_cast<std::int64_t>(
                         std::max<std::uint64_t>(1, config_.logit_bytes / row_bytes)),
                     .precision = config_.precision,
                     .largest_cosine = kind_.largest_cosine,
                     .move_others = {}};
  if (!config_.class_filter && kind_.move_others == nullptr) return logits;
  logits.move_others = [this](Tensor& others, Tensor& factors) {
    if (config_.class_filter)
      others.mul_(factors = others.le(*config_.class_filter).to(others.scalar_type()));
    if (kind_.move_others != nullptr) kind_.move_others(others, factors, all_, config_.margin);
  };
  return logits;
}

Tensor MarginTargets::losses(const Tensor& largest, const Tensor& total) const {
  auto losses = largest + total.log() - logit_;
  if (penalty_.defined()) losses = losses + penalty_.detach();
  return torch::where(ours_, losses, 0);
}

Tensor MarginTargets::differentiate(const Tensor& largest, const Tensor& total, double count,
                                    Communicator* ranks) {
  const auto own = (logit_ - largest).exp_().div_(total);  // softmax
  std::vector<Tensor> of = {moved_};
  std::vector<Tensor> gradients = {torch::where(ours_, (own - 1) * (config_.margin.scale / count), 0)};
  if (penalty_.defined()) {
    of.push_back(penalty_);
    gradients.push_back(ours_.to(own.scalar_type()).div_(count));
  }
  const auto found =
      torch::autograd::grad(of, {leaves_.cosines, leaves_.norms}, gradients, /*retain_graph=*/false,
                            /*create_graph=*/false, /*allow_unused=*/true);
  if (found[1].defined()) {
    norm_gradients_ = torch::where(ours_, found[1], 0);
    if (ranks != nullptr)
      ranks->all_reduce(norm_gradients_, Reduce::Sum).wait();  // but for one rank's each is 0
  }
  return found[0].defined() ? torch::where(ours_, found[0], 0) : torch::zeros_like(own);
}

Tensor MarginTargets::backward(Tensor of_faces) && {
  auto wanted = std::move(unit_).backward(std::move(of_faces));
  if (!norm_gradients_.defined()) return wanted;
  const auto per_value = norm_gradients_ / all_.norms.clamp_min(kLeastNorm);
  return wanted.addcmul_(embeddings_, per_value.unsqueeze(1));
}

}  // namespace facemae
