#include "evaluation/attacks/fixed_attackers.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/log.h"
#include "evaluation/linkage/features.h"

namespace facemae {

FixedAttacker::FixedAttacker(AttackerFacts facts, Features features, bool embeds)
    : facts_(std::move(facts)), features_(std::move(features)), embeds_(embeds) {}

Evidence FixedAttacker::look(const ReleasedFaces& released, const RealFaces& real) {
  if (!photos_.defined() || !photos_.is_same(real.photos)) {
    of_photos_ = features_(real.photos);
    photos_ = real.photos;
  }
  return {.released = features_(released.pictures), .real = of_photos_};
}

std::vector<FixedAttacker> pixel_attackers(std::int64_t height, std::int64_t width) {
  const std::string controls = "Copies of real photos in the release; mosaics of 8 pixels.";
  std::vector<FixedAttacker> all;
  for (const std::int64_t side : {28, 14, 7}) {
    all.emplace_back(
        AttackerFacts{.id = "A0",
                      .name = fmt::format("pixel {0}x{0}", side),
                      .knows = "The real pictures. No network: nearest neighbour on small pictures.",
                      .controls = controls,
                      .cost = "Seconds."},
        [side](const torch::Tensor& images) { return pixel_features(images, side); });
  }
  const std::int64_t k = std::min<std::int64_t>({16, height, width});
  all.emplace_back(
      AttackerFacts{.id = "A0",
                    .name = fmt::format("DCT {0}x{0}", k),
                    .knows = "The real pictures. No network: nearest neighbour on the lowest frequencies.",
                    .controls = controls,
                    .cost = "Seconds."},
      [k](const torch::Tensor& images) { return dct_features(images, k); });
  return all;
}

FixedAttacker embedder_attacker(const NamedEmbedder& embedder, std::int64_t batch) {
  return {{.id = "A0",
           .name = "embedder " + embedder.name,
           .knows = "The real pictures and a face embedder that is not adapted to this release.",
           .controls = "Copies of real photos in the release; other photos of its people.",
           .cost = "One pass of the network over all pictures."},
          [embed = embedder.embed, batch](const torch::Tensor& images) {
            return features_in_batches(images, batch, embed);
          },
          true};
}

}  // namespace facemae
