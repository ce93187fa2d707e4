#pragma once
// What the attackers' networks share: norms, and initial weights from a key.
#include <torch/nn.h>

#include <cstdint>
#include <numeric>

#include "model/recognition/network_parts.h"

namespace facemae {

/// Up to eight groups of at least two channels.
inline torch::nn::GroupNorm group_norm(std::int64_t channels) {
  return torch::nn::GroupNorm(torch::nn::GroupNormOptions(
      std::max<std::int64_t>(1, std::gcd(channels, std::int64_t{16}) / 2), channels));
}

/// Convolutions and linear layers uniformly within +-1 / sqrt(inputs), as PyTorch does; norms become the identity.
/// The draws are functions of the seed and the parameter's name.
void draw_weights(torch::nn::Module& network, std::uint64_t seed);

}  // namespace facemae
