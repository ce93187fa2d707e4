#pragma once
// PReLU (He et al. 2015) with one slope per channel: torch::nn::PReLU with the same bits and a faster backward on CPUs,
// where that of LibTorch takes a quarter to a third of a step of MobileFaceNet (docs/PERFORMANCE.md).
#include <torch/nn.h>

#include <cstdint>

namespace facemae {

/// [B, C, H, W] -> the same: x where x > 0, else slope x.
struct SlopesImpl : torch::nn::PReLUImpl {
  using torch::nn::PReLUImpl::PReLUImpl;
  torch::Tensor forward(const torch::Tensor& x);
};
TORCH_MODULE(Slopes);

inline Slopes slopes_of(std::int64_t channels) {
  return Slopes(torch::nn::PReLUOptions().num_parameters(channels));
}

}  // namespace facemae
