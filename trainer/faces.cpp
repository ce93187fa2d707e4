#include "trainer/faces.h"

#include <torch/torch.h>

#include <numeric>

#include "core/keys.h"
#include "model/pixels.h"

namespace facemae {

std::int64_t Faces::micro_rows() const {
  return std::accumulate(rows_of_rank.begin(), rows_of_rank.end(), std::int64_t{0});
}

Faces to_faces(const ByteBatch& bytes, const BatchPlan& plan, std::uint64_t seed, bool flip,
               torch::Device device) {
  std::vector<std::uint8_t> mirror;
  if (flip)
    for (const auto ordinal : bytes.ordinals) mirror.push_back(key_of(seed, Purpose::Flip, ordinal) & 1);
  const auto convert = bytes.format == PixelFormat::Rgb ? to_network_input : planes_to_network_input;
  return {.images = convert(bytes.pixels, bytes.image, mirror, device),
          .labels = torch::tensor(bytes.labels, torch::kInt64).to(device),
          .ordinals = bytes.ordinals,
          .rows_of_rank = plan.rows_of_rank(bytes.micro),
          .step = bytes.step,
          .micro = bytes.micro};
}

}  // namespace facemae
