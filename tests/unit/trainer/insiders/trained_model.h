#pragma once
// A tiny FaceMAE that was trained for real on drawn people, for attackers that need one.
#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "core/random/keys.h"
#include "evaluation/attacks/attacker.h"
#include "evaluation/linkage/features.h"
#include "model/facemae/face_mae.h"

namespace facemae::test {

/// People of 16 x 16 pixels: a coarse pattern of their own with fine texture, which changes a little from photo to
/// photo.
inline RealFaces drawn_people(std::int64_t people, std::int64_t photos, std::uint64_t seed) {
  const torch::NoGradGuard no_gradients;
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const auto smooth = [](const torch::Tensor& coarse) {
    return torch::nn::functional::interpolate(coarse, torch::nn::functional::InterpolateFuncOptions()
                                                          .size(std::vector<std::int64_t>{16, 16})
                                                          .mode(torch::kBilinear)
                                                          .align_corners(false));
  };
  const auto person = 0.5 * smooth(torch::randn({people, 3, 4, 4}, generator)) +
                      0.25 * torch::randn({people, 3, 16, 16}, generator);
  const auto change = 0.15 * smooth(torch::randn({people * photos, 3, 3, 3}, generator)) +
                      0.05 * torch::randn({people * photos, 3, 16, 16}, generator);
  const auto faces = person.repeat_interleave(photos, 0) + change;
  RealFaces real{.photos = faces.mul(127.5).add(127.5).round().clamp(0, 255).to(torch::kUInt8),
                 .people_count = people};
  for (std::int64_t i = 0; i < people * photos; ++i) real.people.push_back(i / photos);
  return real;
}

inline FaceMae untrained_model() {
  FaceMae model(FaceMaeConfig{.image = 16,
                              .patch = 4,
                              .width = 48,
                              .depth = 2,
                              .heads = 4,
                              .decoder_width = 48,
                              .decoder_depth = 1,
                              .decoder_heads = 4});
  model->initialise(7);
  return model;
}

/// Trained on all patches of these photos, at mask ratio 0.5, by plain Adam.
inline FaceMae trained_model(const RealFaces& people, int steps) {
  FaceMae model = untrained_model();
  const auto faces = as_floats(people.photos), target = model->patchify(faces);
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(3e-3));
  for (int step = 0; step < steps; ++step) {
    std::vector<std::uint64_t> keys;
    for (std::int64_t i = 0; i < faces.size(0); ++i)
      keys.push_back(
          key_of(1, Purpose::Mask, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(i)));
    const Masked mask = random_masks(keys, model->config.patches(), 0.5, torch::kCPU);
    adam.zero_grad();
    (model->decode(model->encode(faces, mask), mask) - target).square().mean().backward();
    adam.step();
  }
  model->eval();
  return model;
}

}  // namespace facemae::test
