#include "model/pixels.h"

#include <torch/torch.h>

namespace facemae {

torch::Tensor to_network_input(std::span<const std::uint8_t> pixels, std::int64_t side,
                               std::span<const std::uint8_t> flip, torch::Device device) {
  const auto count = static_cast<std::int64_t>(pixels.size()) / (side * side * 3);
  auto* data = const_cast<std::uint8_t*>(pixels.data());  // from_blob takes no const; only read
  auto bytes = torch::from_blob(data, {count, side, side, 3}, torch::kUInt8).to(device);
  auto images =
      bytes.permute({0, 3, 1, 2}).to(torch::kFloat32, false, false, torch::MemoryFormat::Contiguous);
  images.sub_(127.5).mul_(1.0 / 127.5);
  if (flip.empty()) return images;
  auto mirror = torch::empty({count, 1, 1, 1}, torch::kBool);
  for (std::int64_t i = 0; i < count; ++i)
    mirror.data_ptr<bool>()[i] = flip[static_cast<std::size_t>(i)] != 0;
  return torch::where(mirror.to(device), images.flip({3}), images);
}

std::vector<std::uint8_t> to_bytes(const torch::Tensor& images) {
  const auto bytes = images.detach().to(torch::kFloat32).mul(127.5).add(127.5).round().clamp(0, 255);
  const auto rows = bytes.permute({0, 2, 3, 1}).to(torch::kUInt8).to(torch::kCPU).contiguous();
  const auto* data = rows.data_ptr<std::uint8_t>();
  return {data, data + rows.numel()};
}

}  // namespace facemae
