#include "model/facemae/distances.h"

#include <torch/torch.h>

namespace facemae {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Distances : torch::autograd::Function<Distances> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& y) {
    const auto found = (at::cdist(x, y, 2.0, /*compute_mode=*/2).square() + 1e-12).sqrt();
    context->save_for_backward({x, y, found});
    return found;
  }

  /// d distance_ij / d x_i = (x_i - y_j) / distance_ij: with w = cotangent / distance, x_i gets
  /// (sum over j of w_ij) x_i - sum over j of w_ij y_j, and y_j likewise.
  static variable_list backward(AutogradContext* context, const variable_list& cotangents) {
    const auto saved = context->get_saved_variables();
    const auto x = saved[0].to(torch::kFloat64), y = saved[1].to(torch::kFloat64);
    const auto w = cotangents[0].to(torch::kFloat64) / saved[2];
    Tensor of_x, of_y;
    if (context->needs_input_grad(0))
      of_x = (w.sum(1, /*keepdim=*/true) * x - w.matmul(y)).to(saved[0].scalar_type());
    if (context->needs_input_grad(1))
      of_y = (w.sum(0).unsqueeze(1) * y - w.t().matmul(x)).to(saved[1].scalar_type());
    return {of_x, of_y};
  }
};

}  // namespace

Tensor distances(const Tensor& x, const Tensor& y) { return Distances::apply(x, y); }

}  // namespace facemae
