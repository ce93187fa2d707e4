#pragma once
// A U-Net (Ronneberger, Fischer and Brox 2015, arXiv 1505.04597) that turns released pictures back towards the photos
// that they were made of.
#include <torch/nn.h>

#include <cstdint>
#include <vector>

namespace facemae {

/// One convolution a stage instead of two, halving by average pooling, enlarging by nearest neighbours: what one core
/// can train. Blocks of 2 x 2 pixels go in and come out as channels (pixel shuffle, Shi et al. 2016, arXiv 1609.05158):
/// stages at full size would take most of the time. As many halvings as the side allows, at most four with that one, so
/// that the lowest map sees the whole face.
class UNet final : public torch::nn::Module {
 public:
  /// `side` of the pictures; `width` channels at half of it, twice as many after each further halving. Throws ConfigError when
  /// the side is odd or the width is not positive.
  UNet(std::int64_t side, std::int64_t width);
  void initialise(std::uint64_t seed);  ///< weights from a key
  /// [B, 3, side, side] in [-1, 1] -> the same shape; not clamped.
  torch::Tensor forward(const torch::Tensor& images);

 private:
  struct Stage {
    torch::nn::Conv2d convolution{nullptr};
    torch::nn::GroupNorm norm{nullptr};
  };
  Stage stage(const std::string& name, std::int64_t in, std::int64_t out);
  static torch::Tensor through(Stage& stage, const torch::Tensor& x);

  std::vector<Stage> down_, up_;
  Stage lowest_;
  torch::nn::Conv2d last_{nullptr};
};

}  // namespace facemae
