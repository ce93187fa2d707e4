#include "trainer/classes/class_optimizer.h"

#include <torch/torch.h>

#include <string>

namespace facemae {

ClassOptimizer::ClassOptimizer(const ClassUpdateConfig& config, Optimizer& replicated,
                               const torch::Tensor& centres)
    : config_(config), replicated_(replicated), rule_(replicated.config()) {
  rule_.weight_decay = config_.weight_decay.value_or(rule_.weight_decay);
  if (!centres.defined()) return;
  rows_.centres = centres.detach();
  rows_.first = torch::zeros_like(rows_.centres);
  if (rule_.kind != "adamw") return;
  rows_.second = torch::zeros_like(rows_.centres);
  if (!config_.dense)
    rows_.updates = torch::zeros({rows_.centres.size(0)}, rows_.centres.options().dtype(torch::kInt32));
}

void ClassOptimizer::step(double learning_rate, const ClassGradient& gradient,
                          const torch::Tensor& found_inf) {
  if (!rows_.centres.defined()) return;
  const torch::NoGradGuard no_grad;
  const bool on_host = rows_.centres.is_cpu();
  if (on_host && found_inf.defined() && found_inf.item<float>() != 0) return;
  const double rate = learning_rate * config_.rate;
  const bool all_alike = !gradient.rows.defined() && rule_.kind == "sgd";  // no row has a count of its own
  if (config_.dense || all_alike)
    step_all(rate, gradient, found_inf);
  else if (on_host && rows_.centres.scalar_type() == torch::kFloat32)
    move_rows_on_host(rows_, gradient, rule_, rate);
  else
    move_rows_by_operations(rows_, gradient, rule_, rate, found_inf);
}

/// By the kernels of the replicated parameters, which take a gradient of every row.
void ClassOptimizer::step_all(double rate, const ClassGradient& gradient, const torch::Tensor& found_inf) {
  auto gradients = gradient.values;
  if (gradient.rows.defined())
    gradients = torch::zeros_like(rows_.centres).index_copy_(0, gradient.rows, gradient.values);
  replicated_.step_beside({.values = rows_.centres,
                           .gradients = gradients,
                           .first = rows_.first,
                           .second = rows_.second,
                           .weight_decay = rule_.weight_decay},
                          rate, found_inf);
}

void ClassOptimizer::add_to(Snapshot& snapshot, const ClassTensor& weight) const {
  const auto add = [&](const std::string& what, const torch::Tensor& rows) {
    if (rows.defined())
      snapshot.by_class.push_back(
          {"optimizer." + what + "." + weight.name, rows, weight.first, weight.total, true});
  };
  add(rule_.kind == "adamw" ? "exp_avg" : "momentum_buffer", rows_.first);
  add("exp_avg_sq", rows_.second);
  add("steps", rows_.updates);
}

}  // namespace facemae
