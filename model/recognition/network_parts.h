#pragma once
// Provides what the recognition networks share: convolutions without bias, weights as upstream draws them, the numbers
// of what is drawn in training.
#include <torch/nn.h>

#include <cmath>
#include <cstdint>

#include "model/common/keyed_uniforms.h"
#include "model/recognition/batch_norm.h"
#include "model/recognition/slopes.h"

namespace facemae {

struct ConvShape {
  std::int64_t in, out, kernel = 3, stride = 1, padding = 1, groups = 1;
};
inline torch::nn::Conv2d conv_without_bias(const ConvShape& shape) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(shape.in, shape.out, shape.kernel)
                               .stride(shape.stride)
                               .padding(shape.padding)
                               .groups(shape.groups)
                               .bias(false));
}

inline torch::nn::Linear linear_without_bias(std::int64_t in, std::int64_t out) {
  return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false));
}

/// Deviation of a weight by Kaiming (He et al. 2015), fan out, gain of ReLU: as torch counts it, groups play no part.
inline double kaiming_fan_out(const torch::Tensor& weight) {
  double fan_out = static_cast<double>(weight.size(0));
  for (std::int64_t d = 2; d < weight.dim(); ++d) fan_out *= static_cast<double>(weight.size(d));
  return std::sqrt(2 / fan_out);
}

/// Resets norms to scale 1, shift 0 and fresh statistics, PReLU slopes to 0.25. Needs a NoGradGuard.
inline void reset_norms_and_slopes(torch::nn::Module& network) {
  for (const auto& module : network.modules(false)) {
    if (auto* norm = module->as<BatchNorm>()) norm->reset_parameters();
    if (auto* norm = module->as<torch::nn::LayerNorm>()) norm->reset_parameters();
    if (auto* slopes = module->as<Slopes>()) slopes->weight.fill_(0.25);
  }
}

/// What a row of a batch draws in a training step, by its key (keyed_uniforms.h).
enum class RowDraw : std::int64_t { Paths = 0, Tokens = 1, Features = 2 };

inline torch::Tensor row_draws(const torch::Tensor& keys, RowDraw what, std::int64_t values) {
  return keyed_uniforms(keys, static_cast<std::int64_t>(what), values);
}

/// Dropout (Srivastava et al. 2014) of features [B, F]. Undefined keys: none.
inline torch::Tensor dropped(const torch::Tensor& features, const torch::Tensor& keys, double probability) {
  if (!keys.defined() || probability == 0) return features;
  const auto uniforms = row_draws(keys, RowDraw::Features, features.size(1));
  return features * kept_scaled(uniforms, torch::full({}, probability, uniforms.options()));
}

}  // namespace facemae
