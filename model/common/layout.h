#pragma once
// Memory formats of convolution networks: maps of pixels one channel after the other (contiguous), or all channels of
// one pixel after the other (channels last). Shapes and values are the same; which one is faster depends on network and
// device.
#include <torch/nn.h>

namespace facemae {

/// Lays out the weights of all convolutions, Contiguous or ChannelsLast, before buckets or others have views of them. A
/// network gives its images the format of its first convolution (in_layout_of).
inline void lay_out(torch::nn::Module& network, torch::MemoryFormat format) {
  for (auto& parameter : network.parameters())
    if (parameter.dim() == 4) parameter.set_data(parameter.detach().contiguous(format));
}

/// Images as a convolution with this weight computes them.
inline torch::Tensor in_layout_of(const torch::Tensor& weight, const torch::Tensor& images) {
  return images.contiguous(weight.suggest_memory_format());
}

}  // namespace facemae
