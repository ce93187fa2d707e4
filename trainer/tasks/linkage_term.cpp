#include "trainer/tasks/linkage_term.h"

#include <torch/torch.h>

#include <numeric>

#include "cluster/tensors/collectives.h"

namespace facemae {
namespace {

constexpr std::uint64_t kAdaptEvery = 50;  ///< steps

}  // namespace

LinkageTerm::LinkageTerm(const std::string& weight, const std::string& attackers, double kept,
                         torch::Device device)
    : attackers_(linkage_from(attackers)), kept_(kept) {
  if (weight.starts_with("auto:"))
    rate_ = std::stod(weight.substr(5));
  else
    fixed_ = torch::full({}, std::stod(weight), torch::TensorOptions().device(device).dtype(torch::kFloat64));
  const torch::NoGradGuard no_grad;
  for (const auto& attacker : attackers_)
    widths_.push_back(attacker.features(torch::zeros({1, 3, 28, 28})).size(1));
}

torch::Tensor LinkageTerm::features(const torch::Tensor& images) const {
  std::vector<torch::Tensor> all;
  for (const auto& attacker : attackers_) all.push_back(attacker.features(images));
  return torch::cat(all, 1);
}

std::int64_t LinkageTerm::width() const {
  return std::accumulate(widths_.begin(), widths_.end(), std::int64_t{0});
}

LinkageTerm::Coupled LinkageTerm::couple(const torch::Tensor& rebuilt, const torch::Tensor& originals,
                                         Coupling& faces) const {
  const auto seen = rebuilt.detach().requires_grad_(true);
  const auto linked =
      linkage_share(seen, originals, attackers_, widths_, kept_, faces.ranks(), faces.rows_of_rank());
  return {.gradient = torch::autograd::grad({linked.share}, {seen}).front(),
          .loss = linked.share.detach(),
          .hits = linked.hits};
}

torch::Tensor LinkageTerm::next_weight(const torch::Tensor& weight, std::uint64_t step,
                                       const torch::Tensor& hits, Coupling& faces) const {
  if (fixed_.defined() || step == 0 || step % kAdaptEvery != 0) return weight;
  const auto total = static_cast<double>(faces.total());
  const auto found = all_sum(hits, faces.ranks()).max().to(torch::kFloat64) / total;
  return (weight + rate_ * (found - 2 / total)).clamp_min(0);
}

}  // namespace facemae
