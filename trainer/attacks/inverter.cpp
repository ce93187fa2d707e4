#include "trainer/attacks/inverter.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "core/log.h"
#include "trainer/attacks/attacker_run.h"
#include "trainer/attacks/inversion_task.h"
#include "trainer/attacks/lesson_pairs.h"
#include "trainer/attacks/look.h"

namespace facemae {
namespace {

constexpr AttackTraining kInversion{.steps = 800, .batch = 32, .width = 32, .lr = 1e-3};

}  // namespace

void Inverter::fit(const Lesson& lesson) {
  const std::string digest = digest_of(lesson);
  const auto known =
      std::find_if(learnt_.begin(), learnt_.end(), [&](const Learnt& one) { return one.lesson == digest; });
  if (known != learnt_.end()) {
    learnt_.splice(learnt_.begin(), learnt_, known);
    return;
  }
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
                          .settings = {"network = U-Net of 2x2 blocks"},
                          .pictures = lesson.released.pictures,
                          .labels = rows,
                          .digest = digest,
                          .make_task = [&](const RunConfig& run) -> TrainingTask {
                            return {.task = std::make_unique<InversionTask>(
                                        network, lesson, run, precision_for(run.precision, world_.device()),
                                        world_.device())};
                          }});
  learnt_.push_front({digest, network, {}});
  constexpr std::size_t kept = 2;
  if (learnt_.size() > kept) learnt_.pop_back();
}

torch::Tensor Inverter::invert(const torch::Tensor& pictures) {
  Learnt& learnt = learnt_.front();
  return learnt.inverted.rows_of(pictures, [&](const torch::Tensor& fresh) {
    return pictures_of(fresh, world_,
                       [&](const torch::Tensor& images) { return learnt.network->forward(images); });
  });
}

}  // namespace facemae
