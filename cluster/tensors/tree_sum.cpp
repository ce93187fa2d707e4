#include "cluster/tensors/tree_sum.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <optional>

#include "cluster/host/fixed_tree.h"
#include "core/error.h"

namespace facemae {
namespace {

torch::Tensor plus(const torch::Tensor& a, const torch::Tensor& b) { return a + b; }
torch::Tensor larger(const torch::Tensor& a, const torch::Tensor& b) { return torch::maximum(a, b); }

}  // namespace

TreeSum::TreeSum(std::vector<std::int64_t> bounds, Communicator& ranks)
    : bounds_(std::move(bounds)), ranks_(ranks) {
  if (bounds_.size() != static_cast<std::size_t>(ranks.size()) + 1 || bounds_.front() != 0 ||
      bounds_.back() < 1 || !std::is_sorted(bounds_.begin(), bounds_.end()))
    throw Error("summing in a tree: the bounds of " + std::to_string(ranks.size()) +
                " ranks must rise from 0 to the number of leaves, 1 or more");
}

std::int64_t TreeSum::first() const { return bounds_[static_cast<std::size_t>(ranks_.rank())]; }
std::int64_t TreeSum::own() const { return bounds_[static_cast<std::size_t>(ranks_.rank()) + 1] - first(); }

void TreeSum::sum(torch::Tensor result, const Leaf& leaf) const { reduce(result, leaf, plus); }
void TreeSum::maximum(torch::Tensor result, const Leaf& leaf) const { reduce(result, leaf, larger); }

void TreeSum::reduce(torch::Tensor& result, const Leaf& leaf, Combine op) const {
  const torch::NoGradGuard no_grad;
  const std::int64_t leaves = bounds_.back(), values = result.numel();
  const auto whole = [&](int rank) {
    const auto r = static_cast<std::size_t>(rank);
    return whole_nodes(bounds_[r], bounds_[r + 1], leaves);
  };
  const auto value_of = [&](const TreeNode& node) {
    const auto known = [&](const TreeNode& at) -> std::optional<torch::Tensor> {
      if (at.width > 1) return std::nullopt;
      return leaf(at.first).reshape({values});
    };
    return fold(node, leaves, known, op);
  };
  if (ranks_.size() == 1) {
    result.view({values}).copy_(value_of(tree_root(leaves)));
    return;
  }

  std::size_t most = 0;
  for (int r = 0; r < ranks_.size(); ++r) most = std::max(most, whole(r).size());
  const auto rows = static_cast<std::int64_t>(most);
  auto mine = torch::zeros({rows, values}, result.options());
  std::int64_t row = 0;
  for (const auto& node : whole(ranks_.rank())) mine[row++].copy_(value_of(node));
  auto all = torch::empty({ranks_.size() * rows, values}, result.options());
  ranks_.all_gather(all, mine).wait();

  std::map<std::int64_t, std::pair<TreeNode, torch::Tensor>> travelled;  // by first leaf
  for (int r = 0; r < ranks_.size(); ++r) {
    row = r * rows;
    for (const auto& node : whole(r)) travelled.emplace(node.first, std::pair(node, all[row++]));
  }
  const auto known = [&](const TreeNode& at) -> std::optional<torch::Tensor> {
    const auto found = travelled.find(at.first);
    if (found == travelled.end() || found->second.first != at) return std::nullopt;
    return found->second.second;
  };
  result.view({values}).copy_(fold(tree_root(leaves), leaves, known, op));
}

}  // namespace facemae
