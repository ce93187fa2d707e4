#pragma once
// Provides what the recognition networks share: convolutions without bias, and resetting norms.
#include <torch/nn.h>

#include <cstdint>

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

/// Resets norms to scale 1, shift 0 and fresh statistics, PReLU slopes to 0.25. Needs a NoGradGuard.
inline void reset_norms_and_slopes(torch::nn::Module& network) {
  for (const auto& module : network.modules(false)) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) norm->reset_parameters();
    if (auto* norm = module->as<torch::nn::BatchNorm1d>()) norm->reset_parameters();
    if (auto* slopes = module->as<Slopes>()) slopes->weight.fill_(0.25);
  }
}

}  // namespace facemae
