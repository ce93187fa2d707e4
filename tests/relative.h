#pragma once
// How tests compare tensors: "within x relative" means |a - b| / (|b| + 1e-7 |whole|) <= x (docs/METHOD.md).
#include <gmock/gmock.h>
#include <torch/torch.h>

#include <algorithm>

namespace facemae::test {

/// |a - b| / (|b| + 1e-7 whole), Euclidean norms in float64. `whole` is the norm of all gradients together, beside which
/// a gradient that is hardly there may be off.
inline double relative_distance(const torch::Tensor& a, const torch::Tensor& b, double whole = 0) {
  const auto of = [](const torch::Tensor& x) { return x.detach().to(torch::kFloat64); };
  return (of(a) - of(b)).norm().item<double>() / std::max(of(b).norm().item<double>() + 1e-7 * whole, 1e-30);
}

/// EXPECT_THAT(found, IsWithin(1e-5, wanted)); of the same shape.
MATCHER_P2(IsWithin, tolerance, wanted, "") {
  if (arg.sizes() != wanted.sizes()) {
    *result_listener << "its shape is " << arg.sizes() << " instead of " << wanted.sizes();
    return false;
  }
  const double distance = relative_distance(arg, wanted);
  *result_listener << "it is " << distance << " away, relatively";
  return distance <= tolerance;
}

}  // namespace facemae::test
