#include "model/common/pixels.h"

#include <torch/torch.h>

#include <array>

#include "core/parallel.h"

namespace facemae {
namespace {

/// In one pass over the bytes: each is read where it is and its float written where it goes.
torch::Tensor on_host(std::span<const std::uint8_t> pixels, std::int64_t count, std::int64_t side,
                      std::span<const std::uint8_t> flip) {
  std::array<float, 256> normalised{};
  for (std::size_t value = 0; value < normalised.size(); ++value)
    normalised[value] = (static_cast<float>(value) - 127.5F) * static_cast<float>(1.0 / 127.5);
  auto images = torch::empty({count, 3, side, side}, torch::kFloat32);
  float* const out = images.data_ptr<float>();
  const std::int64_t plane = side * side;
  in_ranges(count, 8, torch::get_num_threads(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const bool mirrored = !flip.empty() && flip[static_cast<std::size_t>(i)] != 0;
      const std::int64_t start = mirrored ? side - 1 : 0, step = mirrored ? -1 : 1;
      for (std::int64_t y = 0; y < side; ++y) {
        const std::uint8_t* from = pixels.data() + (i * plane + y * side) * 3;
        float* to = out + i * 3 * plane + y * side + start;
        for (std::int64_t x = 0; x < side; ++x, from += 3, to += step)
          for (std::int64_t c = 0; c < 3; ++c) to[c * plane] = normalised[from[c]];
      }
    }
  });
  return images;
}

/// [B, bytes of an image] on the device. The copy is awaited: the caller may overwrite the bytes.
torch::Tensor on_device(std::span<const std::uint8_t> bytes, std::int64_t image_bytes, torch::Device device) {
  auto* data = const_cast<std::uint8_t*>(bytes.data());  // from_blob takes no const; only read
  const auto count = static_cast<std::int64_t>(bytes.size()) / image_bytes;
  return torch::from_blob(data, {count, image_bytes}, torch::kUInt8).to(device);
}

torch::Tensor flips_on_device(std::span<const std::uint8_t> flip, torch::Device device) {
  return flip.empty() ? torch::Tensor() : on_device(flip, 1, device).flatten();
}

/// Mirrors bytes [B, C, H, W] where flip says so: a quarter of the traffic that floats would take.
torch::Tensor mirrored(const torch::Tensor& bytes, const torch::Tensor& flip) {
  if (!flip.defined()) return bytes;
  return torch::where(flip.ne(0).view({-1, 1, 1, 1}), bytes.flip({3}), bytes);
}

}  // namespace

torch::Tensor to_network_input(std::span<const std::uint8_t> pixels, std::int64_t side,
                               std::span<const std::uint8_t> flip, torch::Device device) {
  const auto count = static_cast<std::int64_t>(pixels.size()) / (side * side * 3);
  if (device.is_cpu()) return on_host(pixels, count, side, flip);
  return network_input_of(on_device(pixels, side * side * 3, device), side, flips_on_device(flip, device));
}

torch::Tensor planes_to_network_input(std::span<const std::uint8_t> planes, std::int64_t side,
                                      std::span<const std::uint8_t> flip, torch::Device device) {
  return network_input_of_planes(on_device(planes, side * side + side * side / 2, device), side,
                                 flips_on_device(flip, device));
}

torch::Tensor network_input_of(const torch::Tensor& pixels, std::int64_t side, const torch::Tensor& flip) {
  const auto bytes = pixels.view({-1, side, side, 3}).permute({0, 3, 1, 2});
  auto images = torch::empty({bytes.size(0), 3, side, side}, torch::TensorOptions().device(pixels.device()));
  return images.copy_(mirrored(bytes, flip)).sub_(127.5).mul_(1.0 / 127.5);
}

torch::Tensor network_input_of_planes(const torch::Tensor& bytes, std::int64_t side,
                                      const torch::Tensor& flip) {
  const std::int64_t luma = side * side, half = side / 2;
  const std::int64_t count = bytes.size(0);
  const auto y = mirrored(bytes.narrow(1, 0, luma).reshape({count, 1, side, side}), flip);
  const auto chroma = mirrored(bytes.narrow(1, luma, luma / 2).reshape({count, 2, half, half}), flip);
  const auto wide = at::upsample_bilinear2d(chroma.to(torch::kFloat32).sub_(128), {side, side},
                                            /*align_corners=*/false);
  const auto cb = wide.narrow(1, 0, 1), cr = wide.narrow(1, 1, 1);
  auto images = torch::cat({1.402 * cr, -0.344136286 * cb - 0.714136286 * cr, 1.772 * cb}, 1);
  return images.add_(y).clamp_(0, 255).sub_(127.5).mul_(1.0 / 127.5);
}

std::vector<std::uint8_t> to_bytes(const torch::Tensor& images) {
  const auto bytes = images.detach().to(torch::kFloat32).mul(127.5).add(127.5).round().clamp(0, 255);
  const auto rows = bytes.permute({0, 2, 3, 1}).to(torch::kUInt8).to(torch::kCPU).contiguous();
  const auto* data = rows.data_ptr<std::uint8_t>();
  return {data, data + rows.numel()};
}

}  // namespace facemae
