#include "trainer/attacks/inverter.h"

#include <torch/torch.h>

#include <numeric>

#include "core/log.h"
#include "trainer/attacks/attacker_run.h"
#include "trainer/attacks/inversion_task.h"
#include "trainer/attacks/lesson_pairs.h"
#include "trainer/attacks/look.h"

namespace facemae {
namespace {

constexpr AttackTraining kInversion{.steps = 800, .batch = 32, .width = 16, .lr = 1e-3};

}  // namespace

void Inverter::fit(const Lesson& lesson) {
  const std::string digest = digest_of(lesson);
  if (digest == lesson_) return;
  const auto training = within(config_.budget, kInversion);
  const auto network = std::make_shared<UNet>(lesson.released.pictures.size(2), training.width);
  network->initialise(config_.seed);
  network->to(world_.device());
  std::vector<std::int64_t> rows(lesson.released.classes.size());
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  train_attacker(world_, {.folder = config_.folder,
                          .name = "A7",
                          .training = training,
                          .seed = config_.seed,
                          .pictures = lesson.released.pictures,
                          .labels = rows,
                          .digest = digest,
                          .make_task = [&](const RunConfig& run) -> TrainingTask {
                            return {.task = std::make_unique<InversionTask>(
                                        network, lesson, run, precision_for(run.precision, world_.device()),
                                        world_.device())};
                          }});
  network_ = network;
  lesson_ = digest;
  inverted_.clear();
}

torch::Tensor Inverter::invert(const torch::Tensor& pictures) {
  auto& known = inverted_[digest_of(ReleasedFaces{.pictures = pictures})];
  if (!known.defined())
    known =
        pictures_of(pictures, world_, [&](const torch::Tensor& images) { return network_->forward(images); });
  return known;
}

}  // namespace facemae
