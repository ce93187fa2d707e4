#include "trainer/step/coupling.h"

#include <torch/torch.h>

#include <numeric>

#include "cluster/tensors/collectives.h"
#include "core/error.h"

namespace facemae {
namespace {

torch::Tensor joined(const std::vector<torch::Tensor>& pieces) {
  return pieces.size() == 1 ? pieces.front() : torch::cat(pieces);
}

torch::Tensor of_own_parts(const Passes& passes, torch::Tensor Pass::*member) {
  std::vector<torch::Tensor> own;
  for (const auto& part : passes.parts) own.push_back((part.*member).detach());
  return joined(own);
}

}  // namespace

Coupling::Coupling(const Parts& parts, const Group& group, std::span<torch::Tensor Pass::*const> members)
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

torch::Tensor Coupling::rows(torch::Tensor Pass::*member) const {
  for (const auto& [name, pieces] : of_micro_)
    if (name == member) return joined(pieces);
  throw Error("a coupled loss asks for rows that it did not name");
}

Communicator& Coupling::ranks() { return parts_.exact() ? alone_ : parts_.ranks(); }

std::int64_t Coupling::total() const {
  return std::accumulate(rows_of_rank_.begin(), rows_of_rank_.end(), std::int64_t{0});
}

Cotangents Coupling::spread(const torch::Tensor& gradient) const {
  Cotangents wanted;
  std::int64_t at = 0;
  for (const auto& [parts, rows, micro] : group_) {
    const auto own_rank = rows.begin() + parts_.ranks().rank();
    std::int64_t own = at + (parts_.exact() ? std::accumulate(rows.begin(), own_rank, std::int64_t{0}) : 0);
    auto& of_parts = wanted.emplace_back();
    for (const auto& part : parts) {
      of_parts.push_back(gradient.narrow(0, own, part.rows.size(0)));
      own += part.rows.size(0);
    }
    at += parts_.exact() ? std::accumulate(rows.begin(), rows.end(), std::int64_t{0}) : *own_rank;
  }
  return wanted;
}

}  // namespace facemae
