#include "model/recognition/iresnet.h"

#include <torch/torch.h>

#include <cmath>

#include "model/common/layout.h"
#include "model/common/named_draws.h"
#include "model/common/precision.h"
#include "model/common/recomputed.h"
#include "model/recognition/network_parts.h"

namespace facemae {
namespace {

constexpr std::int64_t kLastSide = 7;  // 112 / 2^4

}  // namespace

IResNetConfig iresnet18() { return {{2, 2, 2, 2}}; }
IResNetConfig iresnet34() { return {{3, 4, 6, 3}}; }
IResNetConfig iresnet50() { return {{3, 4, 14, 3}}; }
IResNetConfig iresnet100() { return {{3, 13, 30, 3}}; }
IResNetConfig iresnet200() { return {{6, 26, 60, 6}}; }
IResNetConfig iresnet_tiny() { return {{1, 1, 1, 1}, {16, 32, 64, 128}, true}; }

IResNetBlock::IResNetBlock(std::int64_t in, std::int64_t out, std::int64_t stride)
    : bn1(register_module("bn1", BatchNorm(in))),
      bn2(nullptr),
      bn3(nullptr),
      conv1(register_module("conv1", conv_without_bias({.in = in, .out = out}))),
      conv2(nullptr),
      prelu(nullptr) {
  // Registered in upstream's order, which is the order of the state dict.
  bn2 = register_module("bn2", BatchNorm(out));
  prelu = register_module("prelu", slopes_of(out));
  conv2 = register_module("conv2", conv_without_bias({.in = out, .out = out, .stride = stride}));
  bn3 = register_module("bn3", BatchNorm(out));
  if (stride == 1) return;
  projection = conv_without_bias({.in = in, .out = out, .kernel = 1, .stride = stride, .padding = 0});
  projection_norm = BatchNorm(out);
  register_module("downsample", torch::nn::Sequential(projection, projection_norm));
}

torch::Tensor IResNetBlock::forward(const torch::Tensor& x) {
  auto y = prelu(bn2(conv1(bn1(x))));
  y = bn3(conv2(y));
  return y + (projection ? projection_norm(projection(x)) : x);
}

IResNet::IResNet(const IResNetConfig& config, const NetworkOptions& options)
    : conv1_(register_module("conv1", conv_without_bias({.in = 3, .out = config.widths[0]}))),
      bn1_(register_module("bn1", BatchNorm(config.widths[0]))),
      bn2_(nullptr),
      prelu_(register_module("prelu", slopes_of(config.widths[0]))),
      fc_(nullptr),
      features_(nullptr),
      dropout_(options.dropout.value_or(0)),
      recomputes_(options.activation_checkpointing) {
  std::int64_t width = config.widths[0];
  for (std::size_t stage = 0; stage < config.blocks.size(); ++stage) {
    torch::nn::ModuleList layer;
    for (int i = 0; i < config.blocks[stage]; ++i) {
      blocks_.push_back(std::make_shared<IResNetBlock>(width, config.widths[stage], i == 0 ? 2 : 1));
      layer->push_back(blocks_.back());
      width = config.widths[stage];
    }
    register_module("layer" + std::to_string(stage + 1), layer);
  }
  bn2_ = register_module("bn2", BatchNorm(width));
  if (config.pool)
    pool_ = register_module(
        "pool",
        conv_without_bias({.in = width, .out = width, .kernel = kLastSide, .padding = 0, .groups = width}));
  const auto flat = config.pool ? width : width * kLastSide * kLastSide;
  fc_ = register_module("fc", torch::nn::Linear(flat, options.embedding));
  features_ = register_module("features", BatchNorm(options.embedding));
  features_->weight.set_requires_grad(
      false);  // upstream fixes this scale at 1: the embedding is normalised anyway
}

torch::Tensor IResNet::forward_drawn(const torch::Tensor& images, const torch::Tensor& keys) {
  auto x = prelu_(bn1_(conv1_(in_layout_of(conv1_->weight, images))));
  for (const auto& block : blocks_) {
    const auto forward = [block](const torch::Tensor& map) { return block->forward(map); };
    x = recomputes_ ? recomputed(forward, block->parameters(), x) : forward(x);
  }
  x = bn2_(x);
  if (pool_) x = pool_(x);
  // fc and the last norm stay out of autocast, as upstream. flatten() reads rows in C order,
  // channels_last or not.
  const FullPrecision exact(x.device().type());
  return features_(fc_(dropped(x.flatten(1).to(fc_->weight.scalar_type()), keys, dropout_)));
}

void IResNet::initialise(std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  reset_norms_and_slopes(*this);
  for (const auto& item : named_parameters()) {
    const auto& name = item.key();
    const auto& weight = item.value();
    // torch's default for a linear layer, weight and bias: U(+-1 / sqrt(inputs)).
    if (name.starts_with("fc."))
      fill_uniform(weight, 1 / std::sqrt(static_cast<double>(fc_->options.in_features())),
                   draws_of(seed, name));
    else if (weight.dim() == 4)
      fill_normal(weight, 0.1, draws_of(seed, name));
  }
}

}  // namespace facemae
