#include "model/facemae/masking.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/random/keys.h"
#include "model/common/sent.h"

namespace facemae {

std::int64_t kept_patches(std::int64_t patches, double ratio) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(patches) * (1 - ratio)));
}

Masked mask_from_noise(const torch::Tensor& noise, double ratio) {
  const auto batch = noise.size(0), patches = noise.size(1);
  const auto kept = kept_patches(patches, ratio);
  const auto shuffle = torch::argsort(noise, /*stable=*/true, /*dim=*/1, /*descending=*/false);
  const auto restore = torch::argsort(shuffle, /*stable=*/true, 1, false);
  auto hidden =
      torch::ones({batch, patches}, torch::TensorOptions().device(noise.device()).dtype(torch::kFloat32));
  hidden.narrow(1, 0, kept).zero_();
  return {shuffle.narrow(1, 0, kept).contiguous(), restore, hidden.gather(1, restore)};
}

void draw_noise(std::uint64_t key, std::span<double> noise) {
  Draws draws(key);
  for (double& value : noise) value = draws.uniform();
}

Masked random_masks(std::span<const std::uint64_t> keys, std::int64_t patches, double ratio,
                    torch::Device device) {
  auto noise = torch::empty({static_cast<std::int64_t>(keys.size()), patches}, torch::kFloat64);
  auto* values = noise.data_ptr<double>();
  for (const std::uint64_t key : keys) {
    draw_noise(key, {values, static_cast<std::size_t>(patches)});
    values += patches;
  }
  return mask_from_noise(sent(noise, device), ratio);
}

}  // namespace facemae
