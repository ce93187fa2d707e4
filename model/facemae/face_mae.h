#pragma once
// Defines FaceMAE: a masked autoencoder (He et al. 2021, arXiv 2111.06377) for faces of any size that the
// patch divides. Keys, shapes and numerics are those of the official MAE, so that its state dict loads
// strictly. B images, N patches, K kept patches, D width, P = patch * patch * 3 values per patch.
#include <torch/nn.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/common/masking.h"
#include "model/facemae/vit_block.h"

namespace facemae {

struct FaceMaeConfig {
  int image = 112, patch = 8;
  int width = 192, depth = 6, heads = 3;
  int decoder_width = 96, decoder_depth = 2, decoder_heads = 3;
  bool activation_checkpointing = false;
  int code =
      0;  ///< width of the code that a picture passes through (code.h); 0: none, as in the official MAE

  std::int64_t patches() const { return static_cast<std::int64_t>(image / patch) * (image / patch); }
  std::int64_t patch_values() const { return std::int64_t{3} * patch * patch; }
  bool operator==(const FaceMaeConfig&) const = default;
};
/// tiny | small | base | large | huge; throws ConfigError with the nearest name.
FaceMaeConfig face_mae_config(const std::string& size, int image, int patch);

/// Holds the projection of patches under its official name.
struct PatchEmbedImpl : torch::nn::Module {
  PatchEmbedImpl(std::int64_t patch, std::int64_t width);
  torch::nn::Conv2d proj{nullptr};
};
TORCH_MODULE(PatchEmbed);

struct FaceMaeImpl : torch::nn::Module {
  /// Throws ConfigError unless the patch divides the image, the heads divide the widths and
  /// 4 divides the widths.
  explicit FaceMaeImpl(const FaceMaeConfig& config);
  /// Draws the initial weights like the official code, from a key: the same on every machine and rank.
  void initialise(std::uint64_t seed);
  /// [B, 3, H, W] -> latents of cls and the kept patches [B, 1 + K, D], patches in the order of mask.kept. B
  /// may be 0.
  torch::Tensor encode(const torch::Tensor& images, const Masked& mask);
  /// latent -> every patch as pixels [B, N, P], hidden or not; float32 also under autocast.
  torch::Tensor decode(const torch::Tensor& latent, const Masked& mask);
  // The parts of decode(), between which the tokens of several faces can be blended (blend.h).
  /// latent [B, 1 + K, D] -> tokens as wide as the decoder, without positions.
  torch::Tensor embed_for_decoder(const torch::Tensor& latent) { return decoder_embed->forward(latent); }
  /// The same with every patch in its place and the mask token where one is hidden: [B, 1 + N, decoder width].
  torch::Tensor decoder_tokens(const torch::Tensor& latent, const Masked& mask);
  /// Such tokens, or means of them -> as decode().
  torch::Tensor decode_tokens(const torch::Tensor& tokens);
  torch::Tensor patchify(
      const torch::Tensor& images) const;  ///< [B, 3, H, W] -> [B, N, P]: row, column, channel
  torch::Tensor unpatchify(const torch::Tensor& patches) const;  ///< the inverse

  FaceMaeConfig config;
  torch::Tensor cls_token, pos_embed, mask_token, decoder_pos_embed;  ///< the two tables are fixed
  PatchEmbed patch_embed{nullptr};
  torch::nn::ModuleList blocks, decoder_blocks;
  torch::nn::LayerNorm norm{nullptr}, decoder_norm{nullptr};
  torch::nn::Linear decoder_embed{nullptr}, decoder_pred{nullptr};
  torch::nn::Linear code_in{nullptr}, code_out{nullptr};  ///< decoder width to code and back, if there is one

 private:
  torch::Tensor run(const torch::nn::ModuleList& list, torch::Tensor tokens) const;
};
TORCH_MODULE(FaceMae);

using NamedWeights = std::vector<std::pair<std::string, torch::Tensor>>;

/// The configuration that a state dict's shapes imply (heads cannot be told from shapes and are passed).
/// Throws ConfigError when it is not a whole MAE, for instance without its decoder.
FaceMaeConfig config_from_weights(const NamedWeights& weights, int heads, int decoder_heads);

/// The same weights with both position tables resized to the grid of `config`.
NamedWeights fit_positions(const NamedWeights& weights, const FaceMaeConfig& config);

}  // namespace facemae
