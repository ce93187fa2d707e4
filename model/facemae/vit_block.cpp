#include "model/facemae/vit_block.h"

#include <torch/torch.h>

namespace facemae {

torch::nn::LayerNorm layer_norm(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-6));
}

AttentionImpl::AttentionImpl(std::int64_t width, std::int64_t heads_of_block) : heads(heads_of_block) {
  qkv = register_module("qkv", torch::nn::Linear(width, 3 * width));
  proj = register_module("proj", torch::nn::Linear(width, width));
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& tokens) {
  const auto images = tokens.size(0), count = tokens.size(1), width = tokens.size(2);
  const auto parts =
      qkv->forward(tokens).reshape({images, count, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
  const auto mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
  return proj->forward(mixed.transpose(1, 2).reshape({images, count, width}));
}

MlpImpl::MlpImpl(std::int64_t width, std::int64_t hidden) {
  fc1 = register_module("fc1", torch::nn::Linear(width, hidden));
  fc2 = register_module("fc2", torch::nn::Linear(hidden, width));
}

torch::Tensor MlpImpl::forward(const torch::Tensor& tokens) {
  return fc2->forward(torch::gelu(fc1->forward(tokens)));
}

VitBlockImpl::VitBlockImpl(std::int64_t width, std::int64_t heads) {
  norm1 = register_module("norm1", layer_norm(width));
  attn = register_module("attn", Attention(width, heads));
  norm2 = register_module("norm2", layer_norm(width));
  mlp = register_module("mlp", Mlp(width, 4 * width));
}

torch::Tensor VitBlockImpl::forward(const torch::Tensor& tokens) {
  const auto attended = tokens + attn->forward(norm1->forward(tokens));
  return attended + mlp->forward(norm2->forward(attended));
}

}  // namespace facemae
