#pragma once
// Defines MobileFaceNet (Chen et al. 2018, arXiv 1804.07573) as arcface_torch's "mbf": blocks (1, 4, 6,
// 2), widths doubled.
#include <memory>
#include <vector>

#include "model/recognition/recognition.h"

namespace facemae {

/// Modules one after another, under the name "layers" as upstream nests them; adds the input if it is
/// a shortcut block.
struct Chain : torch::nn::Module {
  explicit Chain(torch::nn::Sequential modules, bool shortcut = false);
  torch::Tensor forward(const torch::Tensor& x);

  torch::nn::Sequential layers;
  bool shortcut;
};

class MobileFaceNet final : public RecognitionNetwork {
 public:
  MobileFaceNet();
  torch::Tensor forward(const torch::Tensor& images) override;
  void initialise(std::uint64_t seed) override;

 private:
  std::vector<std::shared_ptr<Chain>> layers_;
  std::shared_ptr<Chain> conv_sep_, features_;
};

}  // namespace facemae
