#include "trainer/watch/line_figures.h"

#include <torch/torch.h>

#include <array>

namespace facemae {
namespace {

/// What went wrong with data, which is of interest on whichever rank it did.
constexpr std::array kFaults = {"data_substituted", "data_rereads", "data_retries", "data_slow_reads"};
std::array<double, kFaults.size()> faults_of(const LoaderFigures& data) {
  return {static_cast<double>(data.substituted), static_cast<double>(data.reads.rereads),
          static_cast<double>(data.reads.retries), static_cast<double>(data.reads.slow)};
}
constexpr std::int64_t kOfRank = 3;  ///< values of RankFigures

/// [metrics and faults, summed, then RankFigures of each rank], float32 on the ranks' device.
torch::Tensor numbers_of(const std::vector<Metric>& metrics, const LoaderFigures& data,
                         const RankFigures& mine, Communicator& ranks) {
  const auto device = ranks.device();
  auto own = torch::empty({static_cast<std::int64_t>(kFaults.size()) + kOfRank},
                          torch::TensorOptions().pinned_memory(!device.is_cpu()));
  float* at = own.data_ptr<float>();
  for (const double fault : faults_of(data)) *at++ = static_cast<float>(fault);
  for (const double value : {mine.busy_seconds, mine.data_wait_seconds, mine.memory_bytes})
    *at++ = static_cast<float>(value);
  const auto there = own.to(device, /*non_blocking=*/true);

  std::vector<torch::Tensor> shares;
  for (const auto& metric : metrics) shares.push_back(metric.share.detach().to(torch::kFloat32).reshape({1}));
  shares.push_back(there.narrow(0, 0, static_cast<std::int64_t>(kFaults.size())));
  auto sums = torch::cat(shares);
  ranks.all_reduce(sums, Reduce::Sum).wait();
  auto all = torch::empty({ranks.size() * kOfRank}, sums.options());
  ranks.all_gather(all, there.narrow(0, static_cast<std::int64_t>(kFaults.size()), kOfRank).contiguous())
      .wait();
  return torch::cat({sums, all});
}

std::vector<std::string> names_of(const std::vector<Metric>& metrics) {
  std::vector<std::string> names;
  for (const auto& metric : metrics) names.push_back(metric.name);
  return names;
}

}  // namespace

LineFigures::LineFigures(const std::vector<Metric>& metrics, const LoaderFigures& data,
                         const RankFigures& mine, Communicator& ranks)
    : names_(names_of(metrics)), numbers_(numbers_of(metrics, data, mine, ranks)) {}

LineFigures::Known LineFigures::known() const {
  const auto numbers = numbers_.values();
  Known known;
  auto at = numbers.begin();
  for (const auto& name : names_) known.metrics.emplace_back(name, *at++);
  for (const char* name : kFaults)
    if (const double count = *at++; count > 0) known.faults.emplace_back(name, count);
  known.most =
      most_of(torch::tensor(std::vector<double>(at, numbers.end()), torch::kFloat64).reshape({-1, kOfRank}));
  return known;
}

}  // namespace facemae
