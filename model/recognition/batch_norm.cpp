#include "model/recognition/batch_norm.h"

#include <torch/torch.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "model/common/precision.h"
#include "model/common/recomputed.h"

namespace facemae {
namespace {

using torch::Tensor;

/// Of rows all over the world: [C] each, and how many values each channel has, a float64 scalar on the device.
struct Moments {
  Tensor mean, variance, count;
};

std::vector<std::int64_t> all_but_channels(const Tensor& x) {
  return x.dim() == 4 ? std::vector<std::int64_t>{0, 2, 3} : std::vector<std::int64_t>{0};
}

Tensor per_channel(const Tensor& values, const Tensor& x) {
  return x.dim() == 4 ? values.view({1, -1, 1, 1}) : values.view({1, -1});
}

/// Means and mean squares are summed in float64, so that nothing is lost when the mean is far from zero.
Moments moments_of(const Tensor& x, const NormRows& rows) {
  const auto exact = at_least_float(x);
  const auto channels = x.size(1);
  const std::int64_t values = x.numel() / std::max<std::int64_t>(1, channels);
  const auto own = static_cast<double>(values);
  auto [variance, mean] = torch::var_mean(exact, all_but_channels(x), /*unbiased=*/false);
  const auto type = mean.scalar_type();
  mean = mean.to(torch::kFloat64);
  const auto squares = variance.to(torch::kFloat64) + mean * mean;
  const auto count = torch::full({1}, own, mean.options());
  const auto sums = rows.over_ranks(torch::cat({mean * own, squares * own, count}));
  const auto total = sums.narrow(0, 2 * channels, 1);
  const auto all = sums.narrow(0, 0, channels) / total;
  const auto spread = (sums.narrow(0, channels, channels) / total - all * all).clamp_min(0);
  return {.mean = all.to(type), .variance = spread.to(type), .count = total};
}

/// Keeps the rows' sum inside an autograd context.
struct RowsHolder : torch::CustomClassHolder {
  explicit RowsHolder(NormRows held) : rows(std::move(held)) {}
  NormRows rows;
};

/// Normalises by moments of all ranks' rows, which depend on x, too.
struct NormOverRanks : torch::autograd::Function<NormOverRanks> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, const Moments& moments, double eps,
                        const c10::intrusive_ptr<RowsHolder>& rows) {
    context->save_for_backward({x, weight, moments.mean, moments.variance, moments.count});
    context->saved_data["eps"] = eps;
    context->saved_data["rows"] = c10::IValue::make_capsule(rows);
    return std::get<0>(torch::native_batch_norm(x, weight, bias, moments.mean, moments.variance,
                                                /*training=*/false, /*momentum=*/0, eps));
  }

  /// With r = (variance + eps)^-1/2, y = (x - mean) r and g the cotangent of the output:
  /// d x = weight r (g - (sum g + y sum g y) / count), sums over all rows; weight and bias want own rows' sums.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& cotangents) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const auto holder =
        c10::static_intrusive_pointer_cast<RowsHolder>(context->saved_data["rows"].toCapsule());
    const double eps = context->saved_data["eps"].toDouble();
    const auto [none, of_weight, of_bias] = torch::native_batch_norm_backward(
        cotangents[0], x, weight, mean, variance, {}, {}, /*train=*/false, eps, {false, true, true});
    const auto channels = x.size(1);
    const auto means =
        holder->rows.over_ranks(torch::cat({of_weight, of_bias})) / saved[4].to(mean.scalar_type());
    const auto reciprocal = (variance + eps).rsqrt();
    const auto scale = weight * reciprocal;
    auto of_x = at_least_float(cotangents[0]) * per_channel(scale, x);
    of_x.addcmul_(at_least_float(x) - per_channel(mean, x),
                  per_channel(scale * reciprocal * means.narrow(0, 0, channels), x), /*value=*/-1);
    of_x.sub_(per_channel(scale * means.narrow(0, channels, channels), x));
    return {of_x.to(x.scalar_type()), of_weight, of_bias, {}, {}, {}};
  }
};

}  // namespace

Tensor BatchNormImpl::forward(const Tensor& x) {
  const bool moves = is_training() && !recomputing();
  if (moves) num_batches_tracked.add_(1);
  if (is_training() && rows.over_ranks) return over_ranks(x, moves);
  if (is_training() && rows.group > 0) return in_groups(x, moves);
  const bool given = !is_training() || moves;
  return torch::batch_norm(x, weight, bias, given ? running_mean : Tensor(), given ? running_var : Tensor(),
                           is_training(), *options.momentum(), options.eps(),
                           torch::globalContext().userEnabledCuDNN());
}

/// A group's own statistics are what running ones become with a momentum of 1.
Tensor BatchNormImpl::in_groups(const Tensor& x, bool moves) {
  std::vector<Tensor> normalised, means, variances;
  for (const auto& group : x.split(rows.group)) {
    Tensor mean, variance;
    if (moves) {
      mean = means.emplace_back(torch::zeros_like(running_mean));
      variance = variances.emplace_back(torch::zeros_like(running_var));
    }
    normalised.push_back(torch::batch_norm(group, weight, bias, mean, variance, /*training=*/true,
                                           /*momentum=*/1, options.eps(),
                                           torch::globalContext().userEnabledCuDNN()));
  }
  if (moves) move(torch::stack(means).mean(0), torch::stack(variances).mean(0));
  return torch::cat(normalised);
}

Tensor BatchNormImpl::over_ranks(const Tensor& x, bool moves) {
  Moments moments;
  {
    const torch::NoGradGuard no_grad;
    moments = moments_of(x, rows);
    if (moves)
      move(moments.mean,
           moments.variance * (moments.count / (moments.count - 1)).to(moments.variance.scalar_type()));
  }
  const auto scale = weight.defined() ? weight : torch::ones_like(running_mean);
  const auto shift = bias.defined() ? bias : torch::zeros_like(running_mean);
  return NormOverRanks::apply(x, scale, shift, moments, options.eps(), c10::make_intrusive<RowsHolder>(rows));
}

void BatchNormImpl::move(const Tensor& mean, const Tensor& unbiased_variance) {
  const torch::NoGradGuard no_grad;
  running_mean.lerp_(mean.to(running_mean.scalar_type()), *options.momentum());
  running_var.lerp_(unbiased_variance.to(running_var.scalar_type()), *options.momentum());
}

void normalise_by(torch::nn::Module& network, const NormRows& rows) {
  for (const auto& module : network.modules(false))
    if (auto* norm = module->as<BatchNorm>()) norm->rows = rows;
}

}  // namespace facemae
