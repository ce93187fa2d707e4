#include "model/recognition/ir.h"

#include <torch/torch.h>

#include "model/common/layout.h"
#include "model/common/named_draws.h"
#include "model/common/precision.h"
#include "model/common/recomputed.h"
#include "model/recognition/network_parts.h"

namespace facemae {
namespace {

constexpr std::int64_t kLastIrSide = 7;  // 112 / 2^4
constexpr double kIrDropout = 0.4;

}  // namespace

IrConfig ir18() { return {{2, 2, 2, 2}}; }
IrConfig ir34() { return {{3, 4, 6, 3}}; }
IrConfig ir50() { return {{3, 4, 14, 3}}; }
IrConfig ir101() { return {{3, 13, 30, 3}}; }

IrBlock::IrBlock(std::int64_t in, std::int64_t out, std::int64_t stride_of_block) : stride(stride_of_block) {
  if (in != out)
    shortcut_layer = register_module(
        "shortcut_layer",
        torch::nn::Sequential(
            conv_without_bias({.in = in, .out = out, .kernel = 1, .stride = stride, .padding = 0}),
            BatchNorm(out)));
  res_layer = register_module(
      "res_layer",
      torch::nn::Sequential(BatchNorm(in), conv_without_bias({.in = in, .out = out}), BatchNorm(out),
                            slopes_of(out), conv_without_bias({.in = out, .out = out, .stride = stride}),
                            BatchNorm(out)));
}

torch::Tensor IrBlock::forward(const torch::Tensor& x) {
  const auto y = res_layer->forward(x);
  if (shortcut_layer) return y + shortcut_layer->forward(x);
  return y + (stride == 1 ? x : x.slice(2, 0, x.size(2), stride).slice(3, 0, x.size(3), stride));
}

IrNet::IrNet(const IrConfig& config, const NetworkOptions& options)
    : stem_(conv_without_bias({.in = 3, .out = config.widths[0]})),
      dropout_(options.dropout.value_or(kIrDropout)),
      recomputes_(options.activation_checkpointing) {
  const auto last = config.widths.back();
  input_layer_ = register_module(
      "input_layer", torch::nn::Sequential(stem_, BatchNorm(config.widths[0]), slopes_of(config.widths[0])));
  norm_ = BatchNorm(last);
  linear_ = torch::nn::Linear(last * kLastIrSide * kLastIrSide, options.embedding);
  last_ = BatchNorm(torch::nn::BatchNormOptions(options.embedding).affine(false));
  // 1 stands for the dropout, whose draws come from outside.
  register_module("output_layer",
                  torch::nn::Sequential(norm_, torch::nn::Identity(), torch::nn::Flatten(), linear_, last_));
  torch::nn::ModuleList body;
  std::int64_t width = config.widths[0];
  for (std::size_t stage = 0; stage < config.blocks.size(); ++stage)
    for (int i = 0; i < config.blocks[stage]; ++i) {
      blocks_.push_back(std::make_shared<IrBlock>(width, config.widths[stage], i == 0 ? 2 : 1));
      body->push_back(blocks_.back());
      width = config.widths[stage];
    }
  register_module("body", body);
}

torch::Tensor IrNet::forward_drawn(const torch::Tensor& images, const torch::Tensor& keys) {
  auto x = input_layer_->forward(in_layout_of(stem_->weight, images));
  for (const auto& block : blocks_) {
    const auto forward = [block](const torch::Tensor& map) { return block->forward(map); };
    x = recomputes_ ? recomputed(forward, block->parameters(), x) : forward(x);
  }
  x = norm_(x);
  const FullPrecision exact(x.device().type());  // as our other networks, from the features on
  return last_(linear_(dropped(x.flatten(1).to(linear_->weight.scalar_type()), keys, dropout_)));
}

void IrNet::initialise(std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  reset_norms_and_slopes(*this);
  linear_->bias.zero_();
  for (const auto& item : named_parameters())
    if (item.value().dim() > 1)
      fill_normal(item.value(), kaiming_fan_out(item.value()), draws_of(seed, item.key()));
}

}  // namespace facemae
