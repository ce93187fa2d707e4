#include "trainer/exact/exact_pretrain.h"

#include <torch/torch.h>

#include <numeric>

#include "cluster/host/fixed_tree.h"
#include "cluster/tensors/collectives.h"

namespace facemae {

ExactPretraining::ExactPretraining(FaceMae model, std::unique_ptr<Embedder> embedder,
                                   const PretrainSettings& settings, Communicator& batch, int slots)
    : Pretraining(std::move(model), std::move(embedder), settings, batch, Precision::Float32, torch::kCPU),
      slots_(part_bounds(slots, batch.size()), batch) {}

void ExactPretraining::begin_step(std::uint64_t step) {
  Pretraining::begin_step(step);
  pixel_of_slot_.assign(static_cast<std::size_t>(slots_.own()), torch::zeros({}));
}

/// Rows of the slots of all ranks, the same [n, D] on each, from those of our slots.
torch::Tensor ExactPretraining::all_rows(const std::vector<torch::Tensor>& own,
                                         const std::vector<std::int64_t>& rows_of_rank) const {
  const torch::NoGradGuard no_grad;
  return gather_rows(torch::cat(own), batch_, rows_of_rank);
}

/// d (part * relation loss) / d rebuilt [n, D], of all rows: every rank computes all of it.
torch::Tensor ExactPretraining::relation_cotangent(const torch::Tensor& real, const torch::Tensor& rebuilt,
                                                   double part) {
  const auto leaf = rebuilt.detach().requires_grad_(true);
  const std::vector<std::int64_t> rows{leaf.size(0)};
  const auto matched =
      relation_share(real, leaf, settings_.relation, settings_.relation_center, alone_, rows);
  const auto relation = part * matched.share;
  relation_ += relation.detach();
  correlation_ += part * matched.correlation;
  return torch::autograd::grad({relation}, {leaf}).front();
}

void ExactPretraining::observed_all() {
  std::vector<torch::Tensor> real, rebuilt;  // of all ranks, per micro-batch
  std::vector<std::vector<std::int64_t>> rows_of_rank;
  const auto own = static_cast<std::size_t>(slots_.own());
  for (std::size_t first = 0; first < observed_.size(); first += own) {
    std::vector<torch::Tensor> own_real, own_rebuilt;
    for (std::size_t slot = first; slot < first + own; ++slot) {
      own_real.push_back(observed_[slot].real);
      own_rebuilt.push_back(observed_[slot].rebuilt);
    }
    rows_of_rank.push_back(observed_[first].rows_of_rank);
    real.push_back(all_rows(own_real, rows_of_rank.back()));
    rebuilt.push_back(all_rows(own_rebuilt, rows_of_rank.back()));
  }
  const auto cotangent = relation_cotangent(torch::cat(real), torch::cat(rebuilt), 1);
  cotangents_.clear();
  std::int64_t at = 0;
  for (const auto& micro : rebuilt) {
    cotangents_.push_back(cotangent.narrow(0, at, micro.size(0)));
    at += micro.size(0);
  }
  observed_.clear();
}

std::vector<torch::Tensor> ExactPretraining::slot_losses(const std::vector<Faces>& slots) {
  std::vector<Pass> passes;
  std::vector<torch::Tensor> losses, real, rebuilt;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    const auto forward = rebuild(slots[slot]);
    const auto pixel = pixel_share(slots[slot], forward);
    pixel_of_slot_[slot] = pixel_of_slot_[slot] + pixel.detach();
    losses.push_back(settings_.reconstruction_weight * pixel);
    if (settings_.relation == Relation::None) continue;
    passes.push_back({forward.predicted, pixel, embedder_->embed(forward.rebuilt)});
    if (two_passes()) continue;
    real.push_back(embed_real(slots[slot]));
    rebuilt.push_back(passes.back().found.detach());
  }
  if (settings_.relation == Relation::None) return losses;

  const auto& faces = slots.front();
  torch::Tensor cotangent;
  if (two_passes()) {
    cotangent = cotangents_.at(static_cast<std::size_t>(faces.micro));
  } else {
    const double part = static_cast<double>(faces.micro_rows()) / static_cast<double>(settings_.global_batch);
    cotangent =
        relation_cotangent(all_rows(real, faces.rows_of_rank), all_rows(rebuilt, faces.rows_of_rank), part);
  }
  const auto& rows = faces.rows_of_rank;
  std::int64_t at = std::accumulate(rows.begin(), rows.begin() + batch_.rank(), std::int64_t{0});
  std::vector<torch::Tensor> related;  // of each slot: its gradient is that of the relation loss
  for (const auto& pass : passes) {
    related.push_back((pass.found * cotangent.narrow(0, at, pass.found.size(0))).sum());
    at += pass.found.size(0);
  }
  if (to_be_balanced(faces)) balance(passes, related);
  for (std::size_t slot = 0; slot < losses.size(); ++slot)
    losses[slot] = losses[slot] + relation_weight_ * related[slot];
  return losses;
}

void ExactPretraining::balance(const std::vector<Pass>& passes, const std::vector<torch::Tensor>& related) {
  std::vector<torch::Tensor> of_slot;
  for (std::size_t slot = 0; slot < passes.size(); ++slot)
    of_slot.push_back(gradient_squares(settings_.reconstruction_weight * passes[slot].pixel, related[slot],
                                       passes[slot].predicted));
  auto squares = torch::empty({2});
  slots_.sum(squares,
             [&](std::int64_t slot) { return of_slot[static_cast<std::size_t>(slot - slots_.first())]; });
  set_weight_from(squares);
}

/// Figures of all ranks are the same on each already: the first rank's share is all of them.
std::vector<Metric> ExactPretraining::metrics() {
  slots_.sum(reconstruction_, [&](std::int64_t slot) {
    return pixel_of_slot_[static_cast<std::size_t>(slot - slots_.first())];
  });
  auto all = Pretraining::metrics();
  if (batch_.rank() != 0)
    for (auto& metric : all) metric.share = torch::zeros_like(metric.share);
  return all;
}

}  // namespace facemae
