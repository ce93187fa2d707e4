#include "trainer/step/parts.h"

#include <torch/torch.h>

#include "cluster/host/fixed_tree.h"

namespace facemae {

Parts Parts::of_slots(int slots, Communicator& ranks) {
  return Parts(ranks, TreeSum(part_bounds(slots, ranks.size()), ranks));
}

torch::Tensor Parts::sum(const std::vector<torch::Tensor>& of_parts) const {
  if (!tree_) {
    auto sum = of_parts.front().clone();
    ranks_->all_reduce(sum, Reduce::Sum).wait();
    return sum;
  }
  auto sum = torch::empty_like(of_parts.front());
  tree_->sum(sum,
             [&](std::int64_t slot) { return of_parts[static_cast<std::size_t>(slot - tree_->first())]; });
  return sum;
}

torch::Tensor Parts::of_first_rank(const torch::Tensor& figure) const {
  return ranks_->rank() == 0 ? figure : torch::zeros_like(figure);
}

torch::Tensor Parts::share_of_sum(const std::vector<torch::Tensor>& of_parts) const {
  return tree_ ? of_first_rank(sum(of_parts)) : of_parts.front();
}

torch::Tensor Parts::share_of_coupled(const torch::Tensor& figure) const {
  return tree_ ? of_first_rank(figure) : figure;
}

torch::Tensor Parts::share_of_common(const torch::Tensor& figure, double count) const {
  return tree_ ? of_first_rank(figure / count) : figure / (count * ranks_->size());
}

}  // namespace facemae
