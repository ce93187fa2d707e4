#pragma once
// People who exist only as smooth random pictures, and a release with a planted leak: its pictures are a channel of
// the photos that pixels do not see through. Colours are turned and have changed places, so whoever learns the channel
// from other people finds everybody.
#include <torch/torch.h>

#include <vector>

#include "evaluation/attacks/attacker.h"

namespace facemae::test {

struct PlantedLeak {
  std::int64_t people = 24, photos_each = 6, side = 28;
  std::int64_t seed = 1;  ///< of the people; the channel is always the same
  double noise = 12;      ///< of 255, of every released pixel

  Lesson lesson() const {
    torch::manual_seed(seed);
    Lesson made;
    made.real = {.photos = photos(), .people = {}, .people_count = people};
    for (std::int64_t person = 0; person < people; ++person) {
      made.links.people_of_class.push_back({person});
      for (std::int64_t i = 0; i < photos_each; ++i) {
        made.links.photos_of_picture.push_back({person * photos_each + i});
        made.real.people.push_back(person);
      }
    }
    made.released = {
        .pictures = channel(made.real.photos), .classes = made.real.people, .class_count = people};
    return made;
  }

 private:
  static torch::Tensor smooth(std::int64_t count, std::int64_t side) {
    return at::upsample_bilinear2d(torch::randn({count, 3, 7, 7}), {side, side}, /*align_corners=*/false);
  }
  static torch::Tensor bytes(const torch::Tensor& values) {
    return values.round().clamp(0, 255).to(torch::kUInt8);
  }

  torch::Tensor photos() const {
    const auto of_person = smooth(people, side).repeat_interleave(photos_each, 0);
    return bytes(127.5 + 45 * (of_person + 0.7 * smooth(people * photos_each, side)));
  }

  torch::Tensor channel(const torch::Tensor& pictures) const {
    const auto x = pictures.to(torch::kFloat32).index_select(1, torch::tensor({1, 2, 0}));
    return bytes(255 - x + noise * torch::randn_like(x));
  }
};

/// How many released pictures find their own photo first.
inline double own_found(const Evidence& evidence) {
  const auto nearest = torch::mm(evidence.released, evidence.real.t()).argmax(1);
  return (nearest == torch::arange(nearest.size(0))).to(torch::kFloat64).mean().item<double>();
}

/// How many classes find their person first, by mean directions.
inline double people_found(const Evidence& evidence, const Lesson& tested) {
  const auto means = [&](const torch::Tensor& rows) {
    const auto of_people = rows.view({tested.real.people_count, -1, rows.size(1)}).mean(1);
    return of_people - rows.mean(0);
  };
  const auto nearest = torch::mm(means(evidence.released), means(evidence.real).t()).argmax(1);
  return (nearest == torch::arange(nearest.size(0))).to(torch::kFloat64).mean().item<double>();
}

}  // namespace facemae::test
