#pragma once
// FaceMAE: a masked autoencoder (He et al. 2021, arXiv 2111.06377) for faces of any size that the patch divides.
// Keys, shapes and numerics are those of the official MAE, so that its state dict loads strictly.
// B images, N patches, K kept patches, D width, P = patch * patch * 3 values of a patch.
#include <torch/nn.h>

#include <cstdint>
#include <string>

#include "model/masking.h"

namespace facemae {

struct FaceMaeConfig {
  int image = 112, patch = 8;
  int width = 192, depth = 6, heads = 3;
  int decoder_width = 96, decoder_depth = 2, decoder_heads = 3;
  bool activation_checkpointing = false;

  std::int64_t patches() const { return static_cast<std::int64_t>(image / patch) * (image / patch); }
  std::int64_t patch_values() const { return std::int64_t{3} * patch * patch; }
  bool operator==(const FaceMaeConfig&) const = default;
};
/// tiny | small | base | large | huge; throws ConfigError with the nearest name.
FaceMaeConfig face_mae_config(const std::string& size, int image, int patch);

struct FaceMaeImpl : torch::nn::Module {
  explicit FaceMaeImpl(const FaceMaeConfig& config);
  /// Initial weights as the official code draws them, from a key: the same on every machine and rank.
  void initialise(std::uint64_t seed);
  /// [B, 3, H, W] -> latent of cls and kept patches [B, 1 + K, D].
  torch::Tensor encode(const torch::Tensor& images, const Masked& mask);
  /// latent -> every patch as pixels [B, N, P], hidden or not.
  torch::Tensor decode(const torch::Tensor& latent, const Masked& mask);
  torch::Tensor patchify(const torch::Tensor& images) const;    ///< [B, 3, H, W] -> [B, N, P]: row, column, channel
  torch::Tensor unpatchify(const torch::Tensor& patches) const;  ///< the inverse

  FaceMaeConfig config;
};
TORCH_MODULE(FaceMae);

/// The configuration that a state dict's shapes imply (heads cannot be told from shapes and are passed).
FaceMaeConfig config_from_weights(const std::vector<std::pair<std::string, torch::Tensor>>& weights, int heads,
                                  int decoder_heads);

}  // namespace facemae
