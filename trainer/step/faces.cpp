#include "trainer/step/faces.h"

#include <torch/torch.h>

#include <numeric>

#include "core/random/keys.h"
#include "model/common/pixels.h"

namespace facemae {

std::int64_t Faces::micro_rows() const {
  return std::accumulate(rows_of_rank.begin(), rows_of_rank.end(), std::int64_t{0});
}

bool is_mirrored(std::uint64_t seed, std::uint64_t ordinal) {
  return (key_of(seed, Purpose::Flip, ordinal) & 1) != 0;
}

namespace {

/// Rows [first, first + count) of our part.
Faces faces_of_rows(const ByteBatch& bytes, std::size_t first, std::size_t count, const BatchPlan& plan,
                    std::uint64_t seed, bool flip, torch::Device device) {
  const std::vector ordinals(bytes.ordinals.begin() + static_cast<std::ptrdiff_t>(first),
                             bytes.ordinals.begin() + static_cast<std::ptrdiff_t>(first + count));
  std::vector<std::uint8_t> mirror;
  if (flip)
    for (const auto ordinal : ordinals) mirror.push_back(is_mirrored(seed, ordinal) ? 1 : 0);
  const auto convert = bytes.format == PixelFormat::Rgb ? to_network_input : planes_to_network_input;
  const std::size_t size = image_bytes(bytes.image, bytes.format);
  const auto pixels = std::span(bytes.pixels).subspan(first * size, count * size);
  const auto labels = std::span(bytes.labels).subspan(first, count);
  return {.images = convert(pixels, bytes.image, mirror, device),
          .labels = torch::tensor(c10::ArrayRef(labels.data(), labels.size()), torch::kInt64).to(device),
          .noise = {},
          .ordinals = ordinals,
          .rows_of_rank = plan.rows_of_rank(bytes.micro),
          .step = bytes.step,
          .micro = bytes.micro};
}

}  // namespace

Faces to_faces(const ByteBatch& bytes, const BatchPlan& plan, std::uint64_t seed, bool flip,
               torch::Device device) {
  return faces_of_rows(bytes, 0, bytes.ordinals.size(), plan, seed, flip, device);
}

std::vector<Faces> to_slots(const ByteBatch& bytes, const BatchPlan& plan, int rank, std::uint64_t seed,
                            bool flip, torch::Device device) {
  std::vector<Faces> slots;
  std::size_t first = 0;
  for (const auto rows : plan.rows_of_slots(bytes.micro, rank)) {
    const auto count = static_cast<std::size_t>(rows);
    slots.push_back(faces_of_rows(bytes, first, count, plan, seed, flip, device));
    slots.back().part = slots.size() - 1;
    first += count;
  }
  return slots;
}

}  // namespace facemae
