#include "model/common/unit_rows.h"

#include <torch/torch.h>

namespace facemae {
namespace {

torch::Tensor norms_of(const torch::Tensor& x) { return x.norm(2, 1, /*keepdim=*/true); }

}  // namespace

torch::Tensor unit_rows(const torch::Tensor& x) { return x / norms_of(x).clamp_min(kLeastNorm); }

UnitRows::UnitRows(torch::Tensor x)
    : x_(std::move(x)), norms_(norms_of(x_)), rows_(x_ / norms_.clamp_min(kLeastNorm)) {}

/// In the order of operations of autograd's formulas for unit_rows(), whose bits these are.
torch::Tensor UnitRows::backward(torch::Tensor of_rows) && {
  const auto divisors = norms_.clamp_min(kLeastNorm);
  const auto of_divisors = rows_.div_(divisors).mul_(of_rows).sum(1, /*keepdim=*/true).neg_();
  const auto of_norms = torch::where(norms_ >= kLeastNorm, of_divisors, 0);
  const auto directions = torch::div_out(rows_, x_, norms_).masked_fill_(norms_ == 0, 0);
  return of_rows.div_(divisors).add_(rows_.mul_(of_norms));
}

}  // namespace facemae
