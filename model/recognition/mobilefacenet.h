#pragma once
// Defines MobileFaceNet (Chen et al. 2018, arXiv 1804.07573) as arcface_torch's "mbf" and "mbf_large".
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/recognition/recognition.h"

namespace facemae {

struct MobileFaceNetConfig {
  std::array<int, 4> blocks = {1, 4, 6,
                               2};  ///< of the four stages; the first is a plain convolution where it has one
  std::int64_t scale = 2;           ///< of the widths 64, 64, 128, 128
};
MobileFaceNetConfig mobilefacenet();
MobileFaceNetConfig mobilefacenet_large();

/// Modules one after another, under the name "layers" as upstream nests them; adds the input if it is
/// a shortcut block.
struct Chain : torch::nn::Module {
  explicit Chain(torch::nn::Sequential modules, bool shortcut = false);
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::Sequential layers;
  bool shortcut;
  bool recomputes = false;  ///< activation checkpointing, of this chain as a whole
};

class MobileFaceNet final : public RecognitionNetwork {
 public:
  explicit MobileFaceNet(const MobileFaceNetConfig& config, const NetworkOptions& options = {});
  torch::Tensor forward(const torch::Tensor& images) override;
  std::int64_t width() const override { return width_; }
  void initialise(std::uint64_t seed) override;

 private:
  std::vector<std::shared_ptr<Chain>> layers_;
  std::shared_ptr<Chain> conv_sep_, features_;
  std::int64_t width_;
};

}  // namespace facemae
