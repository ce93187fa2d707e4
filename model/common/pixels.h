#pragma once
// Converts between bytes and network input: normalisation (x - 127.5) / 127.5, horizontal flip, colour
// conversion, and back.
#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

namespace facemae {

/// pixels [B, side, side, 3] bytes -> [B, 3, side, side] float32 in [-1, 1] on the device; images with
/// flip[i] are mirrored. flip may be empty. Only bytes travel to the device, where each float is written
/// once. Returns when the bytes are no longer needed.
torch::Tensor to_network_input(std::span<const std::uint8_t> pixels, std::int64_t side,
                               std::span<const std::uint8_t> flip, torch::Device device);
/// The same from planes (PixelFormat::Yuv420 of data/image/planes.h): JFIF luma [side, side], then Cb and Cr
/// [side/2, side/2] of each image. Chroma is enlarged like libjpeg's "fancy upsampling" (weights 3/4 and
/// 1/4), and the result is within 2 levels of 255 of libjpeg's RGB.
torch::Tensor planes_to_network_input(std::span<const std::uint8_t> planes, std::int64_t side,
                                      std::span<const std::uint8_t> flip, torch::Device device);
/// The same of bytes that are where they are converted, for which the host does not wait: uint8 [B, bytes of an image];
/// `flip` is uint8 [B], not 0 where an image is mirrored, or undefined. The floats are those of the host to the bit.
torch::Tensor network_input_of(const torch::Tensor& pixels, std::int64_t side, const torch::Tensor& flip);
torch::Tensor network_input_of_planes(const torch::Tensor& bytes, std::int64_t side,
                                      const torch::Tensor& flip);
/// [B, 3, H, W] in [-1, 1] -> [B, H, W, 3] bytes on the host, rounded and clamped.
std::vector<std::uint8_t> to_bytes(const torch::Tensor& images);

}  // namespace facemae
