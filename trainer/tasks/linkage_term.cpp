#include "trainer/tasks/linkage_term.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "cluster/tensors/collectives.h"

namespace facemae {
namespace {

constexpr std::uint64_t kAdaptEvery = 50;  ///< steps

}  // namespace

LinkageTerm::LinkageTerm(const std::string& weight, const std::string& attackers, double kept)
    : attackers_(linkage_from(attackers)), kept_(kept) {
  if (weight.starts_with("auto:"))
    rate_ = std::stod(weight.substr(5));
  else
    fixed_ = std::stod(weight);
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
  const auto hits = all_sum(linked.hits, faces.ranks());
  return {.gradient = torch::autograd::grad({linked.share}, {seen}).front(),
          .loss = linked.share.detach(),
          .found = hits.max().item<double>() / static_cast<double>(faces.total())};
}

double LinkageTerm::next_weight(double weight, std::uint64_t step, double found, std::int64_t faces) const {
  if (fixed_ || step == 0 || step % kAdaptEvery != 0) return weight;
  return std::max(0.0, weight + rate_ * (found - 2 / static_cast<double>(faces)));
}

}  // namespace facemae
