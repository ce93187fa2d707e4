#pragma once
// A synthetic target for tests of attackers: smooth random faces of known people, and releases that leak in known ways.
#include <torch/torch.h>

#include <functional>

#include "evaluation/campaign/target.h"

namespace facemae::test {

/// `people` x `photos` pictures [3, 28, 28] uint8: what a person's photos share weighs `likeness`.
inline RealFaces random_faces(std::int64_t people, std::int64_t photos, double likeness = 0.5,
                              std::uint64_t seed = 5) {
  torch::manual_seed(seed);
  const auto persons = torch::rand({people, 1, 3, 7, 7}).expand({people, photos, 3, 7, 7});
  const auto small = likeness * persons + (1 - likeness) * torch::rand({people, photos, 3, 7, 7});
  RealFaces faces{.photos = torch::upsample_bilinear2d(small.reshape({-1, 3, 7, 7}), {28, 28}, false)
                                .mul(255)
                                .round()
                                .to(torch::kUInt8),
                  .people_count = people};
  for (std::int64_t i = 0; i < people * photos; ++i) faces.people.push_back(i / photos);
  return faces;
}

using Mechanism = std::function<torch::Tensor(const torch::Tensor&)>;

/// Picture i is made of photo i, and class c is person c; the last `strangers` people are in no class.
inline Target one_to_one(RealFaces real, const Mechanism& mechanism, std::int64_t strangers = 0) {
  Target target;
  target.members = real.people_count - strangers;
  for (std::size_t i = 0; i < real.people.size(); ++i) {
    if (real.people[i] >= target.members) break;
    target.released.classes.push_back(real.people[i]);
    target.links.photos_of_picture.push_back({static_cast<std::int64_t>(i)});
  }
  const auto pictures = static_cast<std::int64_t>(target.released.classes.size());
  target.released.pictures = mechanism(real.photos.narrow(0, 0, pictures));
  target.released.class_count = target.members;
  for (std::int64_t p = 0; p < target.members; ++p) target.links.people_of_class.push_back({p});
  for (std::int64_t p = 0; p < real.people_count; ++p) target.known_as.push_back(100 + p);
  target.real = std::move(real);
  return target;
}

/// The row of that attacker (the beginning of its name), level and control; fails the test when there is none.
inline Measurement row_of(const std::vector<Measurement>& rows, const std::string& attacker, Level level,
                          const std::string& control = "", const std::string& pairs = "all") {
  for (const Measurement& row : rows)
    if (row.attacker.starts_with(attacker) && row.level == level && row.control == control &&
        (row.pairs == pairs || row.pairs.empty()))
      return row;
  ADD_FAILURE() << "no measurement of " << attacker << " at " << name_of(level) << " " << control;
  return {};
}

}  // namespace facemae::test
