#include "trainer/exact/exact_recognize.h"

#include <torch/torch.h>

#include <numeric>

#include "cluster/host/fixed_tree.h"
#include "cluster/tensors/collectives.h"

namespace facemae {

ExactRecognition::ExactRecognition(std::shared_ptr<RecognitionNetwork> network, ClassCentres centres,
                                   const RecognitionSettings& settings, Communicator& batch, int slots)
    : RecognitionTraining(std::move(network), std::move(centres), settings, batch, Precision::Float32,
                          torch::kCPU),
      slots_(part_bounds(slots, batch.size()), batch),
      softmax_(centres_, batch) {
  for (const auto& item : network_->named_buffers())
    if (!item.value().is_floating_point()) counters_.push_back(item.value());
}

void ExactRecognition::begin_step(std::uint64_t step) {
  RecognitionTraining::begin_step(step);
  counters_before_.clear();
  for (const auto& counter : counters_) counters_before_.push_back(counter.clone());
  after_slot_.assign(static_cast<std::size_t>(slots_.own()), torch::zeros({}));
}

/// Every slot moves the statistics that the step began with. Written past their version counters: the graphs
/// of other slots hold them, although backward looks at the slot's own statistics only.
void ExactRecognition::start_statistics_anew() {
  for (std::size_t i = 0; i < statistics_.size(); ++i) statistics_[i].variable_data().copy_(before_[i]);
}

std::vector<torch::Tensor> ExactRecognition::slot_losses(const std::vector<Faces>& slots) {
  std::vector<torch::Tensor> embeddings, detached, labels;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    start_statistics_anew();
    embeddings.push_back(network_->forward(slots[slot].images));
    detached.push_back(embeddings.back().detach());
    labels.push_back(slots[slot].labels);
    after_slot_[slot] =
        after_slot_[slot] + flat_statistics() * (static_cast<double>(slots[slot].images.size(0)) /
                                                 static_cast<double>(settings_.global_batch));
  }
  const auto& rows = slots.front().rows_of_rank;
  const auto softmax = softmax_.loss(gather_rows(torch::cat(detached), batch_, rows),
                                     gather_rows(torch::cat(labels), batch_, rows), settings_.margin,
                                     static_cast<double>(settings_.global_batch));
  loss_ += softmax.loss;
  correct_ += softmax.correct;

  std::int64_t at = std::accumulate(rows.begin(), rows.begin() + batch_.rank(), std::int64_t{0});
  std::vector<torch::Tensor> losses;  // of each slot: its gradient is that of the softmax
  for (const auto& own : embeddings) {
    losses.push_back((own * softmax.cotangent.narrow(0, at, own.size(0))).sum());
    at += own.size(0);
  }
  return losses;
}

void ExactRecognition::undo_step() {
  RecognitionTraining::undo_step();
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < counters_.size(); ++i) counters_[i].copy_(counters_before_[i]);
}

/// One update a step, whatever the numbers of slots and micro-batches: running statistics become the mean of
/// what each slot made of them, weighted by rows.
void ExactRecognition::end_step() {
  undo_step();
  if (settings_.frozen_batch_norm) return;
  auto mean = torch::empty_like(flat_statistics());
  slots_.sum(mean,
             [&](std::int64_t slot) { return after_slot_[static_cast<std::size_t>(slot - slots_.first())]; });
  set_statistics(mean);
  const torch::NoGradGuard no_grad;
  for (auto& counter : counters_) counter.add_(1);
}

/// Figures of all ranks are the same on each already: the first rank's share is all of them.
std::vector<Metric> ExactRecognition::metrics() {
  const auto share = [&](const torch::Tensor& figure) {
    return batch_.rank() == 0 ? figure : torch::zeros_like(figure);
  };
  return {{"loss", share(loss_)},
          {"accuracy", share(correct_ / static_cast<double>(settings_.global_batch))}};
}

}  // namespace facemae
