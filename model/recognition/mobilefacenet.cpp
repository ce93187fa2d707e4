#include "model/recognition/mobilefacenet.h"

#include <torch/torch.h>

#include <functional>
#include <utility>

#include "model/common/layout.h"
#include "model/common/named_draws.h"
#include "model/common/precision.h"
#include "model/common/recomputed.h"
#include "model/recognition/network_parts.h"

namespace facemae {
namespace {

using ChainPtr = std::shared_ptr<Chain>;

ChainPtr linear_block(const ConvShape& shape) {
  return std::make_shared<Chain>(torch::nn::Sequential(conv_without_bias(shape), BatchNorm(shape.out)));
}

ChainPtr conv_block(const ConvShape& shape) {
  return std::make_shared<Chain>(
      torch::nn::Sequential(conv_without_bias(shape), BatchNorm(shape.out), slopes_of(shape.out)));
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
ChainPtr global_depthwise(std::int64_t embedding) {
  torch::nn::Sequential modules;
  modules->push_back(linear_block({.in = 512, .out = 512, .kernel = 7, .padding = 0, .groups = 512}));
  modules->push_back(torch::nn::Flatten());
  modules->push_back(linear_without_bias(512, embedding));
  modules->push_back(BatchNorm(embedding));
  return std::make_shared<Chain>(modules);
}

}  // namespace

Chain::Chain(torch::nn::Sequential modules, bool is_shortcut)
    : layers(register_module("layers", std::move(modules))), shortcut(is_shortcut) {}

torch::Tensor Chain::forward(const torch::Tensor& x) {
  const auto through = [layers = layers](const torch::Tensor& map) { return layers.ptr()->forward(map); };
  const auto y = recomputes ? recomputed(through, layers->parameters(), x) : through(x);
  return shortcut ? x + y : y;
}

MobileFaceNetConfig mobilefacenet() { return {}; }
MobileFaceNetConfig mobilefacenet_large() { return {.blocks = {2, 8, 12, 4}, .scale = 4}; }

MobileFaceNet::MobileFaceNet(const MobileFaceNetConfig& config, const NetworkOptions& options)
    : width_(options.embedding) {
  const std::int64_t narrow = 64 * config.scale, wide = 128 * config.scale;
  const auto& blocks = config.blocks;
  // The numbers of channels in between, and the 64 groups, do not scale upstream.
  layers_ = {
      conv_block({.in = 3, .out = narrow, .stride = 2}),
      blocks[0] == 1 ? conv_block({.in = narrow, .out = narrow, .groups = 64})
                     : residual(narrow, blocks[0], 128),
      depthwise(narrow, narrow, 128, 2, false),
      residual(narrow, blocks[1], 128),
      depthwise(narrow, wide, 256, 2, false),
      residual(wide, blocks[2], 256),
      depthwise(wide, wide, 512, 2, false),
      residual(wide, blocks[3], 256),
  };
  torch::nn::ModuleList list;
  for (const auto& layer : layers_) list->push_back(layer);
  register_module("layers", list);
  conv_sep_ = register_module("conv_sep", conv_block({.in = wide, .out = 512, .kernel = 1, .padding = 0}));
  features_ = register_module("features", global_depthwise(options.embedding));
  if (options.activation_checkpointing)
    for (const auto& module : modules(false))
      if (auto* chain = module->as<Chain>()) chain->recomputes = chain->shortcut;
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
    fill_normal(weight, kaiming_fan_out(weight), draws_of(seed, item.key()));
  }
}

}  // namespace facemae
