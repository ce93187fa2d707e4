#include "trainer/tasks/running_statistics.h"

#include <torch/torch.h>

namespace facemae {
namespace {

/// Views of one flat tensor in place of the tensors, whose values it takes over: [values].
torch::Tensor flatten(const std::vector<torch::Tensor>& tensors) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> rows;
  for (const auto& tensor : tensors) rows.push_back(tensor.flatten());
  auto flat = rows.empty() ? torch::zeros({0}) : torch::cat(rows);
  std::int64_t at = 0;
  for (auto tensor : tensors) {
    const auto count = tensor.numel();
    tensor.set_data(flat.narrow(0, at, count).view_as(tensor));
    at += count;
  }
  return flat;
}

}  // namespace

RunningStatistics::RunningStatistics(RecognitionNetwork& network, const Parts& parts,
                                     std::uint64_t global_batch, bool frozen)
    : parts_(parts), global_batch_(static_cast<double>(global_batch)), frozen_(frozen) {
  std::vector<torch::Tensor> statistics;
  for (const auto& item : network.named_buffers())
    (item.value().is_floating_point() ? statistics : counters_).push_back(item.value());
  now_ = flatten(statistics);
}

void RunningStatistics::begin() {
  own_rows_ = 0;
  before_ = now_.clone();
  if (!parts_.exact()) return;
  counters_before_.clear();
  for (const auto& counter : counters_) counters_before_.push_back(counter.clone());
  after_slot_.assign(parts_.own(), torch::zeros({}));
}

/// Past the version counters of the network's views: the graphs of other slots hold the statistics, although backward
/// reads the slot's own batch statistics only.
void RunningStatistics::before_part() {
  if (parts_.exact()) now_.copy_(before_);
}

void RunningStatistics::after_part(std::size_t part, std::int64_t rows) {
  own_rows_ += rows;
  if (parts_.exact())
    after_slot_[part] = after_slot_[part] + now_ * (static_cast<double>(rows) / global_batch_);
}

/// One update a step by slots, whatever the numbers of slots and micro-batches; replicated state stays replicated.
void RunningStatistics::end(const torch::Tensor& skipped) {
  if (frozen_) return;
  const torch::NoGradGuard no_grad;
  if (parts_.exact()) {
    now_.copy_(parts_.sum(after_slot_));
  } else if (parts_.ranks().size() > 1) {
    now_.mul_(static_cast<double>(own_rows_) / global_batch_);
    parts_.ranks().all_reduce(now_, Reduce::Sum).wait();
  }
  now_.copy_(torch::where(skipped > 0, before_, now_));
  for (std::size_t i = 0; i < counters_before_.size(); ++i)
    counters_[i].copy_(counters_before_[i] + (1 - skipped).to(torch::kInt64));
}

}  // namespace facemae
