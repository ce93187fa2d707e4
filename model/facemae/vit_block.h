#pragma once
// Defines the pre-norm transformer block of ViT (Dosovitskiy et al. 2020) under timm's names. B images, T tokens, D width.
#include <torch/nn.h>

#include <cstdint>

namespace facemae {

struct AttentionImpl : torch::nn::Module {
  AttentionImpl(std::int64_t width, std::int64_t heads);
  torch::Tensor forward(const torch::Tensor& tokens);  ///< [B, T, D] -> [B, T, D]

  std::int64_t heads;
  torch::nn::Linear qkv{nullptr}, proj{nullptr};
};
TORCH_MODULE(Attention);

struct MlpImpl : torch::nn::Module {
  MlpImpl(std::int64_t width, std::int64_t hidden);
  torch::Tensor forward(const torch::Tensor& tokens);

  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};
TORCH_MODULE(Mlp);

/// x + attention(norm(x)), then x + mlp(norm(x)); LayerNorm eps 1e-6, mlp ratio 4, exact GELU.
struct VitBlockImpl : torch::nn::Module {
  VitBlockImpl(std::int64_t width, std::int64_t heads);
  torch::Tensor forward(const torch::Tensor& tokens);

  torch::nn::LayerNorm norm1{nullptr};
  Attention attn{nullptr};
  torch::nn::LayerNorm norm2{nullptr};
  Mlp mlp{nullptr};
};
TORCH_MODULE(VitBlock);

/// LayerNorm over `width` with eps 1e-6.
torch::nn::LayerNorm layer_norm(std::int64_t width);

}  // namespace facemae
