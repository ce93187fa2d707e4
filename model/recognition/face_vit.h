#pragma once
// Defines the vision transformer of arcface_torch ("vit_t" to "vit_h"; Dosovitskiy et al. 2020, An et al. 2022) with its
// keys and numerics: 12 x 12 patches of 9 pixels, no class token, all tokens into the embedding. B images, T tokens, D
// width.
#include <cstdint>
#include <memory>
#include <vector>

#include "model/recognition/batch_norm.h"
#include "model/recognition/recognition.h"

namespace facemae {

struct FaceVitConfig {
  std::int64_t width = 512;
  int depth = 12;
  double drop_path = 0.1;    ///< of the last block, unless NetworkOptions says otherwise
  double mask_tokens = 0.1;  ///< fraction of the tokens, likewise
  int heads = 8;
};
FaceVitConfig face_vit_t();
FaceVitConfig face_vit_s();
FaceVitConfig face_vit_b();
FaceVitConfig face_vit_l();
FaceVitConfig face_vit_h();

inline constexpr std::int64_t kFaceVitPatch = 9,
                              kFaceVitTokens = 12 * 12;  ///< 4 pixels of 112 are at no patch

/// Under timm's names: attn.qkv without bias, attn.proj.
struct FaceAttention : torch::nn::Module {
  FaceAttention(std::int64_t width, std::int64_t heads);
  torch::Tensor forward(const torch::Tensor& tokens);  ///< [B, T, D] -> [B, T, D]

  std::int64_t heads;
  torch::nn::Linear qkv, proj;
};

/// mlp.fc1, ReLU6, mlp.fc2; four times as wide within.
struct FaceMlp : torch::nn::Module {
  explicit FaceMlp(std::int64_t width);
  torch::Tensor forward(const torch::Tensor& tokens);

  torch::nn::Linear fc1, fc2;
};

/// x + a attention(norm(x)), then x + b mlp(norm(x)); LayerNorm eps 1e-5.
struct FaceVitBlock : torch::nn::Module {
  FaceVitBlock(std::int64_t width, std::int64_t heads);
  /// `factors` [B, 2]: a and b of each image, 0 for a path that is dropped; undefined: 1.
  torch::Tensor forward(const torch::Tensor& tokens, const torch::Tensor& factors);

  torch::nn::LayerNorm norm1, norm2;
  std::shared_ptr<FaceAttention> attn;
  std::shared_ptr<FaceMlp> mlp;
};

class FaceVit final : public RecognitionNetwork {
 public:
  explicit FaceVit(const FaceVitConfig& config, const NetworkOptions& options = {});
  torch::Tensor forward(const torch::Tensor& images) override { return forward_drawn(images, {}); }
  torch::Tensor forward_drawn(const torch::Tensor& images, const torch::Tensor& keys) override;
  bool draws() const override { return drop_path_ > 0 || mask_tokens_ > 0; }
  std::int64_t width() const override { return embedding_->options.out_features(); }
  void initialise(std::uint64_t seed) override;

 private:
  /// [B, T, D] through all blocks and the last norm.
  torch::Tensor through_blocks(torch::Tensor tokens, const torch::Tensor& keys);

  torch::Tensor pos_embed_, mask_token_;
  torch::nn::Conv2d proj_{nullptr};
  std::vector<std::shared_ptr<FaceVitBlock>> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear embedding_{nullptr};
  torch::nn::Sequential feature_{nullptr};
  double drop_path_, mask_tokens_;
  bool recomputes_;
};

}  // namespace facemae
