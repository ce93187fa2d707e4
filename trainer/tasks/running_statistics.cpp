#include "trainer/tasks/running_statistics.h"

#include <torch/torch.h>

namespace facemae {
namespace {

std::vector<torch::Tensor> copies(const std::vector<torch::Tensor>& of) {
  std::vector<torch::Tensor> all;
  for (const auto& tensor : of) all.push_back(tensor.clone());
  return all;
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
    after_slot_[part] = after_slot_[part] + flat(statistics_) * (static_cast<double>(rows) / global_batch_);
}

/// One update a step by slots, whatever the numbers of slots and micro-batches; replicated state stays replicated.
void RunningStatistics::end(const torch::Tensor& skipped) {
  if (frozen_) return;
  const torch::NoGradGuard no_grad;
  torch::Tensor now;
  if (parts_.exact()) {
    now = parts_.sum(after_slot_);
  } else if (parts_.ranks().size() > 1) {
    now = parts_.sum({flat(statistics_).mul_(static_cast<double>(own_rows_) / global_batch_)});
  } else {
    now = flat(statistics_);
  }
  set(torch::where(skipped > 0, flat(before_), now));
  for (std::size_t i = 0; i < counters_before_.size(); ++i)
    counters_[i].copy_(counters_before_[i] + (1 - skipped).to(torch::kInt64));
}

torch::Tensor RunningStatistics::flat(const std::vector<torch::Tensor>& of) {
  std::vector<torch::Tensor> flat;
  for (const auto& statistic : of) flat.push_back(statistic.flatten());
  return torch::cat(flat);
}

void RunningStatistics::set(const torch::Tensor& flat) {
  std::int64_t at = 0;
  for (auto& statistic : statistics_) {
    statistic.copy_(flat.narrow(0, at, statistic.numel()).view_as(statistic));
    at += statistic.numel();
  }
}

}  // namespace facemae
