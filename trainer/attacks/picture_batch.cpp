#include "trainer/attacks/picture_batch.h"

#include <torch/torch.h>

#include "core/random/keys.h"
#include "evaluation/linkage/features.h"

namespace facemae {
namespace {

constexpr double kGain = 0.15, kOffset = 0.1;
constexpr std::int64_t kChannels = 3;

}  // namespace

torch::Tensor resized(const torch::Tensor& images, std::int64_t side) {
  if (side == 0 || (images.size(2) == side && images.size(3) == side)) return images;
  return at::_upsample_bilinear2d_aa(images, {side, side}, /*align_corners=*/false);
}

torch::Tensor picture_batch(const torch::Tensor& pictures, std::span<const std::int64_t> rows,
                            std::int64_t side, torch::Device device) {
  const auto chosen = torch::tensor(c10::ArrayRef(rows.data(), rows.size()), torch::kInt64);
  return resized(as_floats(pictures.index_select(0, chosen).to(device)), side);
}

torch::Tensor mirrored(const torch::Tensor& images, std::span<const std::uint64_t> ordinals,
                       std::uint64_t seed) {
  std::vector<std::uint8_t> mirror;
  mirror.reserve(ordinals.size());
  for (const auto ordinal : ordinals) mirror.push_back(key_of(seed, Purpose::Flip, ordinal) & 1);
  const auto which =
      torch::tensor(mirror, torch::kUInt8).to(images.device()).to(torch::kBool).view({-1, 1, 1, 1});
  return torch::where(which, images.flip({3}), images);
}

std::uint64_t lesson_key(std::uint64_t seed, LessonDraw draw, std::uint64_t ordinal) {
  return key_of(seed, Purpose::Augment, ordinal, static_cast<std::uint64_t>(draw));
}

torch::Tensor recoloured(const torch::Tensor& images, std::span<const std::uint64_t> ordinals,
                         std::uint64_t seed, LessonDraw draw) {
  std::vector<float> gains, offsets;
  for (const auto ordinal : ordinals) {
    Draws draws(lesson_key(seed, draw, ordinal));
    offsets.push_back(static_cast<float>(draws.uniform(-kOffset, kOffset)));
    for (std::int64_t channel = 0; channel < kChannels; ++channel)
      gains.push_back(static_cast<float>(1 + draws.uniform(-kGain, kGain)));
  }
  const auto gain = torch::tensor(gains).to(images.device()).view({-1, kChannels, 1, 1});
  return images * gain + torch::tensor(offsets).to(images.device()).view({-1, 1, 1, 1});
}

}  // namespace facemae
