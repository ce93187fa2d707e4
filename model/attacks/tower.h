#pragma once
// One tower of a linker: a small convolutional network that maps a picture to a unit vector. Two of them, one for
// released pictures and one for photos, learn to give a photo and what was made of it the same vector.
#include <torch/nn.h>

#include <cstdint>
#include <vector>

namespace facemae {

struct TowerConfig {
  std::int64_t side = 56;  ///< pictures are average-pooled to this side first
  std::int64_t width =
      16;  ///< channels of the first of four stages; each has twice as many as the one before
  std::int64_t features = 128;  ///< length of the vector
};

/// Four stages of conv 3x3, group norm, ReLU and max pooling 2, then a linear layer over the whole map, which keeps
/// places: they are what tells pictures apart. Group norms (Wu and He 2018, arXiv 1803.08494) make a picture's vector
/// independent of its batch, and so of the number of ranks.
class Tower final : public torch::nn::Module {
 public:
  explicit Tower(const TowerConfig& config);
  /// Weights as PyTorch draws them, from a key: the same on every machine and rank.
  void initialise(std::uint64_t seed);
  /// [B, 3, H, W] in [-1, 1] -> [B, features], rows L2-normalised.
  torch::Tensor forward(const torch::Tensor& images);

 private:
  TowerConfig config_;
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::GroupNorm> norms_;
  torch::nn::Linear last_{nullptr};
};

}  // namespace facemae
