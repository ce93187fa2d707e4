#include "model/recognition/mobilefacenet.h"

#include <torch/torch.h>

#include <cmath>
#include <utility>

#include "model/common/layout.h"
#include "model/common/named_draws.h"
#include "model/common/precision.h"
#include "model/recognition/network_parts.h"

namespace facemae {
namespace {

using ChainPtr = std::shared_ptr<Chain>;

ChainPtr linear_block(const ConvShape& shape) {
  return std::make_shared<Chain>(
      torch::nn::Sequential(conv_without_bias(shape), torch::nn::BatchNorm2d(shape.out)));
}

ChainPtr conv_block(const ConvShape& shape) {
  return std::make_shared<Chain>(torch::nn::Sequential(
      conv_without_bias(shape), torch::nn::BatchNorm2d(shape.out), slopes_of(shape.out)));
}

/// Widen to `inner` channels, filter each alone, narrow to `out`.
ChainPtr depthwise(std::int64_t in, std::int64_t out, std::int64_t inner, std::int64_t stride,
                   bool shortcut) {
  torch::nn::Sequential modules;
  modules->push_back(conv_block({.in = in, .out = inner, .kernel = 1, .padding = 0}));
  modules->push_back(conv_block({.in = inner, .out = inner, .stride = stride, .groups = inner}));
  modules->push_back(linear_block({.in = inner, .out = out, .kernel = 1, .padding = 0}));
  return std::make_shared<Chain>(modules, shortcut);
}

ChainPtr residual(std::int64_t width, int blocks, std::int64_t inner) {
  torch::nn::Sequential modules;
  for (int i = 0; i < blocks; ++i) modules->push_back(depthwise(width, width, inner, 1, true));
  return std::make_shared<Chain>(modules);
}

/// Global depthwise convolution: 7 x 7 to one value a channel, then the embedding.
ChainPtr global_depthwise() {
  torch::nn::Sequential modules;
  modules->push_back(linear_block({.in = 512, .out = 512, .kernel = 7, .padding = 0, .groups = 512}));
  modules->push_back(torch::nn::Flatten());
  modules->push_back(torch::nn::Linear(torch::nn::LinearOptions(512, kEmbeddingWidth).bias(false)));
  modules->push_back(torch::nn::BatchNorm1d(kEmbeddingWidth));
  return std::make_shared<Chain>(modules);
}

}  // namespace

Chain::Chain(torch::nn::Sequential modules, bool is_shortcut)
    : layers(register_module("layers", std::move(modules))), shortcut(is_shortcut) {}

torch::Tensor Chain::forward(const torch::Tensor& x) {
  auto y = layers->forward(x);
  return shortcut ? x + y : y;
}

MobileFaceNet::MobileFaceNet() {
  layers_ = {
      conv_block({.in = 3, .out = 128, .stride = 2}),
      conv_block(
          {.in = 128, .out = 128, .groups = 64}),  // two channels a group: upstream does not scale the 64
      depthwise(128, 128, 128, 2, false),
      residual(128, 4, 128),
      depthwise(128, 256, 256, 2, false),
      residual(256, 6, 256),
      depthwise(256, 256, 512, 2, false),
      residual(256, 2, 256),
  };
  torch::nn::ModuleList list;
  for (const auto& layer : layers_) list->push_back(layer);
  register_module("layers", list);
  conv_sep_ = register_module("conv_sep", conv_block({.in = 256, .out = 512, .kernel = 1, .padding = 0}));
  features_ = register_module("features", global_depthwise());
}

torch::Tensor MobileFaceNet::forward(const torch::Tensor& images) {
  auto x = in_layout_of(layers_.front()->parameters().front(), images);
  for (const auto& layer : layers_) x = layer->forward(x);
  const FullPrecision exact(x.device().type());  // as upstream: from conv_sep on in the weights' own type
  return features_->forward(conv_sep_->forward(x.to(conv_sep_->parameters()[0].scalar_type())));
}

void MobileFaceNet::initialise(std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  reset_norms_and_slopes(*this);
  for (const auto& item : named_parameters()) {
    const auto& weight = item.value();
    if (weight.dim() < 2) continue;
    // Kaiming (He et al. 2015), fan out, gain of ReLU: as torch counts it, groups play no part.
    double fan_out = static_cast<double>(weight.size(0));
    for (std::int64_t d = 2; d < weight.dim(); ++d) fan_out *= static_cast<double>(weight.size(d));
    fill_normal(weight, std::sqrt(2 / fan_out), draws_of(seed, item.key()));
  }
}

}  // namespace facemae
