#pragma once
// Between bytes and network input: normalisation (x - 127.5) / 127.5, horizontal flip, and back.
#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

namespace facemae {

/// pixels [B, side, side, 3] bytes -> [B, 3, side, side] float32 in [-1, 1] on the device; images with
/// flip[i] are mirrored. flip may be empty.
torch::Tensor to_network_input(std::span<const std::uint8_t> pixels, std::int64_t side,
                               std::span<const std::uint8_t> flip, torch::Device device);
/// [B, 3, H, W] in [-1, 1] -> [B, H, W, 3] bytes on the host, rounded and clamped.
std::vector<std::uint8_t> to_bytes(const torch::Tensor& images);

}  // namespace facemae
