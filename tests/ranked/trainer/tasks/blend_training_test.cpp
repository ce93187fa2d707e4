// --blend: the loss of a step is that of its definition (docs/METHOD.md), with sums written out.
#include <gtest/gtest.h>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

constexpr std::size_t kPhotos = 4, kPeople = 2, kOfEach = 2;  // of a set
using Tensors = std::vector<torch::Tensor>;

torch::Tensor mean(const Tensors& all) { return torch::stack(all).mean(0); }

/// The mean over a set's people of the mean over their photos of what `of` gives.
template <class Of>
torch::Tensor over_people(std::size_t set, Of of) {
  Tensors people;
  for (std::size_t person = 0; person < kPeople; ++person) {
    Tensors photos;
    for (std::size_t i = 0; i < kOfEach; ++i) photos.push_back(of(set * kPhotos + person * kOfEach + i));
    people.push_back(mean(photos));
  }
  return mean(people);
}

struct ByDefinition {
  double pixel = 0, relation = 0;
};

ByDefinition losses(const Faces& faces, std::uint64_t sets, std::int64_t min_people, bool of_face) {
  const torch::NoGradGuard no_grad;
  FaceMae model = trial_model();
  const auto embedder = trial_embedder();
  embedder->at_step(0);
  std::vector<std::uint64_t> keys;
  for (const auto ordinal : faces.ordinals) keys.push_back(mask_key(3, ordinal));
  const std::int64_t patches = model->config.patches();
  const Masked mask = random_masks(keys, patches, 0.75, torch::kCPU);
  const auto tokens = model->embed_for_decoder(model->encode(faces.images, mask));
  const auto embedded = embedder->embed(faces.images);
  const auto at = [](std::size_t i) { return static_cast<std::int64_t>(i); };
  const auto token_of = [&](std::size_t photo, std::int64_t patch) -> torch::Tensor {  // undefined: hidden
    for (std::int64_t k = 0; k < mask.kept.size(1); ++k)
      if (mask.kept[at(photo)][k].item<std::int64_t>() == patch) return tokens[at(photo)][1 + k];
    return {};
  };
  ByDefinition found;
  Tensors targets, made;
  for (std::size_t set = 0; set < sets; ++set) {
    Tensors row{over_people(set, [&](std::size_t photo) { return tokens[at(photo)][0]; })};
    for (std::int64_t patch = 0; patch < patches; ++patch) {
      Tensors people;
      for (std::size_t person = 0; person < kPeople; ++person) {
        Tensors photos;
        for (std::size_t i = 0; i < kOfEach; ++i)
          if (const auto token = token_of(set * kPhotos + person * kOfEach + i, patch); token.defined())
            photos.push_back(token);
        if (!photos.empty()) people.push_back(mean(photos));
      }
      const bool shown = !people.empty() && static_cast<std::int64_t>(people.size()) >= min_people;
      row.push_back(shown ? mean(people) : model->mask_token[0][0]);
    }
    const auto picture = model->unpatchify(model->decode_tokens(torch::stack(row).unsqueeze(0)));
    const auto photo = over_people(set, [&](std::size_t i) { return faces.images[at(i)]; }).unsqueeze(0);
    const auto gap = torch::avg_pool2d(picture, 4) - torch::avg_pool2d(photo, 4);
    found.pixel += gap.square().mean().item<double>() / static_cast<double>(sets);
    const auto target = of_face ? embedded[at(set * kPhotos)]
                                : over_people(set, [&](std::size_t i) { return embedded[at(i)]; });
    const auto seen = embedder->embed(picture.clamp(-1, 1))[0];
    targets.push_back((target / target.norm()).to(torch::kFloat64));
    made.push_back((seen / seen.norm()).to(torch::kFloat64));
  }
  for (std::size_t a = 0; a < sets; ++a)
    for (std::size_t b = 0; b < sets; ++b)
      if (a != b)
        found.relation += std::pow((targets[a].dot(targets[b]) - made[a].dot(made[b])).item<double>(), 2) /
                          static_cast<double>(sets * (sets - 1));
  return found;
}

TEST(BlendTraining, HasTheLossOfItsDefinition) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  const Trial trial{.relation = "cosine", .global_batch = 12, .blend = "people:2"};
  const BatchPlan plan = plan_of(trial, 1);
  for (const std::int64_t min_people : {1, 2}) {
    for (const char* target : {"", "face"}) {
      auto config = pretrain_config_of(trial);
      config.blend_min_people = static_cast<std::uint64_t>(min_people);
      config.relation_target = target;
      const auto task = make_task(config, Parts::of_ranks(alone));
      GradientBuckets buckets(task->parameters(), alone);
      TrialFaces faces(trial, plan, 0);
      Step(*task, faces, buckets, 1).compute(0);
      const auto wanted = losses(faces_of(trial, plan, 0, 0, 0), 3, min_people, *target != '\0');
      const auto metrics = task->metrics();
      EXPECT_NEAR(metrics[1].share.item<double>(), wanted.pixel, 1e-5 * wanted.pixel) << target << min_people;
      EXPECT_NEAR(metrics[2].share.item<double>(), wanted.relation, 1e-4 * wanted.relation)
          << target << min_people;
      EXPECT_GT(wanted.relation, 1e-6);
    }
  }
}

TEST(BlendTraining, RefusesFacesThatAreNotWholeSets) {
  AloneCommunicator alone;
  const Trial trial{.relation = "none", .global_batch = 12, .blend = "people:2"};
  const auto task = make_task(trial, Parts::of_ranks(alone));
  Trial torn = trial;
  torn.global_batch = 10;
  EXPECT_THROW(task->forward(faces_of(torn, {.global_batch = 10}, 0, 0, 0)), Error);
  EXPECT_THROW(task->forward(faces_of(trial, {.global_batch = 6, .micro_batches = 1}, 1, 0, 0)), Error);
}

}  // namespace
}  // namespace facemae::trials
