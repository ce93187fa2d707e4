#include "model/recognition/face_vit.h"

#include <torch/torch.h>

#include <cmath>

#include "model/common/masking.h"
#include "model/common/named_draws.h"
#include "model/common/precision.h"
#include "model/common/recomputed.h"
#include "model/recognition/network_parts.h"

namespace facemae {
namespace {

torch::nn::LayerNorm norm_of_tokens(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-5));
}

BatchNorm norm_of_features(std::int64_t width) {
  return BatchNorm(torch::nn::BatchNormOptions(width).eps(2e-5));
}

/// Tokens times a factor of each image, [B].
torch::Tensor scaled(const torch::Tensor& tokens, const torch::Tensor& factors, std::int64_t which) {
  return factors.defined() ? tokens * factors.select(1, which).view({-1, 1, 1}) : tokens;
}

}  // namespace

FaceVitConfig face_vit_t() { return {.width = 256, .depth = 12}; }
FaceVitConfig face_vit_s() { return {.width = 512, .depth = 12}; }
FaceVitConfig face_vit_b() { return {.width = 512, .depth = 24}; }
// arcface_torch has these two with one choice each.
FaceVitConfig face_vit_l() { return {.width = 768, .depth = 24, .drop_path = 0.05}; }
FaceVitConfig face_vit_h() { return {.width = 1024, .depth = 48, .mask_tokens = 0}; }

FaceAttention::FaceAttention(std::int64_t width, std::int64_t heads_of_block)
    : heads(heads_of_block),
      qkv(register_module("qkv", linear_without_bias(width, 3 * width))),
      proj(register_module("proj", torch::nn::Linear(width, width))) {}

/// All kernels that this may choose have their softmax in float32.
torch::Tensor FaceAttention::forward(const torch::Tensor& tokens) {
  const auto images = tokens.size(0), count = tokens.size(1), width = tokens.size(2);
  const auto parts =
      qkv->forward(tokens).reshape({images, count, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
  const auto mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
  return proj->forward(mixed.transpose(1, 2).reshape({images, count, width}));
}

FaceMlp::FaceMlp(std::int64_t width)
    : fc1(register_module("fc1", torch::nn::Linear(width, 4 * width))),
      fc2(register_module("fc2", torch::nn::Linear(4 * width, width))) {}

torch::Tensor FaceMlp::forward(const torch::Tensor& tokens) {
  return fc2->forward(torch::hardtanh(fc1->forward(tokens), 0, 6));
}

FaceVitBlock::FaceVitBlock(std::int64_t width, std::int64_t heads)
    : norm1(register_module("norm1", norm_of_tokens(width))),
      norm2(register_module("norm2", norm_of_tokens(width))),
      attn(register_module("attn", std::make_shared<FaceAttention>(width, heads))),
      mlp(register_module("mlp", std::make_shared<FaceMlp>(width))) {}

torch::Tensor FaceVitBlock::forward(const torch::Tensor& tokens, const torch::Tensor& factors) {
  const auto attended = tokens + scaled(attn->forward(norm1->forward(tokens)), factors, 0);
  return attended + scaled(mlp->forward(norm2->forward(attended)), factors, 1);
}

FaceVit::FaceVit(const FaceVitConfig& config, const NetworkOptions& options)
    : drop_path_(options.drop_path.value_or(config.drop_path)),
      mask_tokens_(options.mask_tokens.value_or(config.mask_tokens)),
      recomputes_(options.activation_checkpointing) {
  const auto width = config.width;
  pos_embed_ = register_parameter("pos_embed", torch::zeros({1, kFaceVitTokens, width}));
  mask_token_ = register_parameter("mask_token", torch::zeros({1, 1, width}));
  mask_token_.set_requires_grad(mask_tokens_ > 0);  // nothing would have a gradient for it
  proj_ = torch::nn::Conv2d(torch::nn::Conv2dOptions(3, width, kFaceVitPatch).stride(kFaceVitPatch));
  register_module("patch_embed", std::make_shared<torch::nn::Module>())->register_module("proj", proj_);
  torch::nn::ModuleList list;
  for (int i = 0; i < config.depth; ++i) {
    blocks_.push_back(std::make_shared<FaceVitBlock>(width, config.heads));
    list->push_back(blocks_.back());
  }
  register_module("blocks", list);
  norm_ = register_module("norm", norm_of_tokens(width));
  embedding_ = linear_without_bias(width, options.embedding);
  feature_ =
      register_module("feature", torch::nn::Sequential(linear_without_bias(kFaceVitTokens * width, width),
                                                       norm_of_features(width), embedding_,
                                                       norm_of_features(options.embedding)));
}

torch::Tensor FaceVit::through_blocks(torch::Tensor tokens, const torch::Tensor& keys) {
  const auto depth = static_cast<std::int64_t>(blocks_.size());
  torch::Tensor factors;  // [B, 2 blocks]
  if (keys.defined() && drop_path_ > 0) {
    const auto rates = torch::linspace(0, drop_path_, depth, keys.options().dtype(torch::kFloat32));
    factors =
        kept_scaled(row_draws(keys, RowDraw::Paths, 2 * depth), rates.repeat_interleave(2, 0, 2 * depth))
            .to(pos_embed_.scalar_type());
  }
  for (std::int64_t i = 0; i < depth; ++i) {
    const auto& block = blocks_[static_cast<std::size_t>(i)];
    const auto forward = [block, own = factors.defined() ? factors.narrow(1, 2 * i, 2) : factors](
                             const torch::Tensor& x) { return block->forward(x, own); };
    tokens = recomputes_ ? recomputed(forward, block->parameters(), tokens) : forward(tokens);
  }
  return norm_->forward(tokens.to(norm_->weight.scalar_type()));
}

torch::Tensor FaceVit::forward_drawn(const torch::Tensor& images, const torch::Tensor& keys) {
  auto tokens = proj_->forward(images).flatten(2).transpose(1, 2) + pos_embed_;
  if (keys.defined() && mask_tokens_ > 0) {
    const auto mask = mask_from_noise(row_draws(keys, RowDraw::Tokens, kFaceVitTokens), mask_tokens_);
    const auto kept = mask.kept.size(1);
    tokens = through_blocks(reordered(tokens, inverse_order(mask.restore)).narrow(1, 0, kept), keys);
    const auto hidden = mask_token_.expand({tokens.size(0), kFaceVitTokens - kept, tokens.size(2)});
    tokens = reordered(torch::cat({tokens, hidden}, 1), mask.restore);
  } else {
    tokens = through_blocks(tokens, keys);
  }
  const FullPrecision exact(tokens.device().type());
  return feature_->forward(tokens.flatten(1).to(pos_embed_.scalar_type()));
}

void FaceVit::initialise(std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  reset_norms_and_slopes(*this);
  for (const auto& item : named_parameters()) {
    const auto& name = item.key();
    const auto& weight = item.value();
    const auto draws = draws_of(seed, name);
    if (name.starts_with("patch_embed."))  // torch's default for a convolution, weight and bias
      fill_uniform(weight, 1 / std::sqrt(3.0 * kFaceVitPatch * kFaceVitPatch), draws);
    else if (weight.dim() > 1)
      fill_normal(weight, 0.02, draws);
    else if (name.ends_with("proj.bias") || name.ends_with("fc1.bias") || name.ends_with("fc2.bias"))
      weight.zero_();
  }
}

}  // namespace facemae
