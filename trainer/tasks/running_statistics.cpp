#include "trainer/tasks/running_statistics.h"

#include <torch/torch.h>

namespace facemae {
namespace {

std::vector<torch::Tensor> copies(const std::vector<torch::Tensor>& of) {
  std::vector<torch::Tensor> all;
  for (const auto& tensor : of) all.push_back(tensor.clone());
  return all;
}

void restore(std::vector<torch::Tensor>& to, const std::vector<torch::Tensor>& from) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
}

}  // namespace

RunningStatistics::RunningStatistics(RecognitionNetwork& network, const Parts& parts,
                                     std::uint64_t global_batch, bool frozen)
    : parts_(parts), global_batch_(static_cast<double>(global_batch)), frozen_(frozen) {
  for (const auto& item : network.named_buffers())
    (item.value().is_floating_point() ? statistics_ : counters_).push_back(item.value());
}

void RunningStatistics::begin() {
  own_rows_ = 0;
  before_ = copies(statistics_);
  if (!parts_.exact()) return;
  counters_before_ = copies(counters_);
  after_slot_.assign(parts_.own(), torch::zeros({}));
}

/// Written past their version counters: the graphs of other slots hold the statistics, although backward reads the
/// slot's own batch statistics only.
void RunningStatistics::before_part() {
  if (!parts_.exact()) return;
  for (std::size_t i = 0; i < statistics_.size(); ++i) statistics_[i].variable_data().copy_(before_[i]);
}

void RunningStatistics::after_part(std::size_t part, std::int64_t rows) {
  own_rows_ += rows;
  if (parts_.exact())
    after_slot_[part] = after_slot_[part] + flat() * (static_cast<double>(rows) / global_batch_);
}

void RunningStatistics::undo() {
  restore(statistics_, before_);
  if (parts_.exact()) restore(counters_, counters_before_);
}

/// One update a step by slots, whatever the numbers of slots and micro-batches; replicated state stays replicated.
void RunningStatistics::end() {
  if (parts_.exact()) undo();
  if (frozen_ || (!parts_.exact() && parts_.ranks().size() == 1)) return;
  if (!parts_.exact()) return set(parts_.sum({flat().mul_(static_cast<double>(own_rows_) / global_batch_)}));
  set(parts_.sum(after_slot_));
  const torch::NoGradGuard no_grad;
  for (auto& counter : counters_) counter.add_(1);
}

torch::Tensor RunningStatistics::flat() const {
  std::vector<torch::Tensor> flat;
  for (const auto& statistic : statistics_) flat.push_back(statistic.flatten());
  return torch::cat(flat);
}

void RunningStatistics::set(const torch::Tensor& flat) {
  const torch::NoGradGuard no_grad;
  std::int64_t at = 0;
  for (auto& statistic : statistics_) {
    statistic.copy_(flat.narrow(0, at, statistic.numel()).view_as(statistic));
    at += statistic.numel();
  }
}

}  // namespace facemae
