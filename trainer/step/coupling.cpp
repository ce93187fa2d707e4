#include "trainer/step/coupling.h"

#include <torch/torch.h>

#include <numeric>

#include "cluster/host/fixed_tree.h"
#include "cluster/tensors/collectives.h"
#include "core/error.h"

namespace facemae {
namespace {

std::int64_t sum_of(std::span<const std::int64_t> rows) {
  return std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
}

torch::Tensor joined(const std::vector<torch::Tensor>& pieces) {
  return pieces.size() == 1 ? pieces.front() : torch::cat(pieces);
}

torch::Tensor of_own_parts(const Passes& passes, Coupling::Member member) {
  std::vector<torch::Tensor> own;
  for (const auto& part : passes.parts) own.push_back((part.*member).detach());
  return joined(own);
}

torch::Tensor of_first(const Communicator& ranks, const torch::Tensor& figure) {
  return ranks.rank() == 0 ? figure : torch::zeros_like(figure);
}

}  // namespace

Parts Parts::of_slots(int slots, Communicator& ranks) {
  return Parts(ranks, TreeSum(part_bounds(slots, ranks.size()), ranks));
}

torch::Tensor Parts::sum(const std::vector<torch::Tensor>& of_parts) const {
  auto sum = of_parts.front().clone();
  if (tree_)
    tree_->sum(sum,
               [&](std::int64_t slot) { return of_parts[static_cast<std::size_t>(slot - tree_->first())]; });
  else
    ranks_->all_reduce(sum, Reduce::Sum).wait();
  return sum;
}

torch::Tensor Parts::share_of_sum(const std::vector<torch::Tensor>& of_parts) const {
  return tree_ ? of_first(*ranks_, sum(of_parts)) : of_parts.front();
}

torch::Tensor Parts::share_of_coupled(const torch::Tensor& figure) const {
  return tree_ ? of_first(*ranks_, figure) : figure;
}

torch::Tensor Parts::share_of_common(const torch::Tensor& figure, double count) const {
  return tree_ ? of_first(*ranks_, figure / count) : figure / (count * ranks_->size());
}

Coupling::Coupling(const Parts& parts, const Group& group, std::span<const Member> members)
    : parts_(parts), group_(group), rows_of_rank_(group.front().rows_of_rank.size(), 0) {
  const torch::NoGradGuard no_grad;
  for (const auto member : members) of_micro_.push_back({member, {}});
  for (const auto& passes : group) {
    for (std::size_t r = 0; r < rows_of_rank_.size(); ++r) rows_of_rank_[r] += passes.rows_of_rank[r];
    for (auto& [member, pieces] : of_micro_) {
      auto own = of_own_parts(passes, member);
      pieces.push_back(parts.exact() ? gather_rows(own, parts.ranks(), passes.rows_of_rank) : own);
    }
  }
  if (parts.exact()) rows_of_rank_ = {total()};
}

torch::Tensor Coupling::rows(Member member) const {
  for (const auto& [name, pieces] : of_micro_)
    if (name == member) return joined(pieces);
  throw Error("a coupled loss asks for rows that were not gathered");
}

std::int64_t Coupling::total() const { return sum_of(rows_of_rank_); }

Cotangents Coupling::spread(const torch::Tensor& gradient) const {
  Cotangents wanted;
  std::int64_t at = 0;
  for (const auto& [parts, rows_of_rank, micro] : group_) {
    const std::span rows(rows_of_rank);
    const auto rank = static_cast<std::size_t>(parts_.ranks().rank());
    std::int64_t own = at + (parts_.exact() ? sum_of(rows.first(rank)) : 0);
    auto& of_parts = wanted.emplace_back();
    for (const auto& part : parts) {
      of_parts.push_back(gradient.narrow(0, own, part.rows.size(0)));
      own += part.rows.size(0);
    }
    at += parts_.exact() ? sum_of(rows) : rows[rank];
  }
  return wanted;
}

}  // namespace facemae
