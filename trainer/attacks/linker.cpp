#include "trainer/attacks/linker.h"

#include <torch/torch.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "trainer/attacks/attacker_run.h"
#include "trainer/attacks/linker_task.h"
#include "trainer/attacks/look.h"

namespace facemae {
namespace {

constexpr AttackTraining kLinker{.steps = 600, .batch = 128, .width = 16, .lr = 1e-3};
constexpr std::int64_t kTowerSide = 56;

class Linker final : public Attacker {
 public:
  Linker(Right right, const TrainedAttackerConfig& config, World& world)
      : right_(right), config_(config), world_(world) {}

  AttackerFacts facts() const override {
    return {.id = "A5",
            .name = right_ == Right::Photo ? "two-tower linker of photos" : "two-tower linker of people",
            .knows = "a release of other people, made in the same way, and which of their photos went where",
            .controls = "the mechanism: it was run on people of the attacker's own",
            .cost = "one training of two small networks"};
  }
  bool learns() const override { return true; }

  void fit(const Lesson& lesson) override {
    const auto training = within(config_.budget, kLinker);
    shape_ = {.side = std::min(kTowerSide, lesson.real.photos.size(2)), .width = training.width};
    Towers towers(shape_);
    towers.initialise(config_.seed);
    towers.to(world_.device());
    std::vector<std::int64_t> rows(lesson.released.classes.size());
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = static_cast<std::int64_t>(row);
    train_attacker(world_, {.folder = config_.folder,
                            .name = right_ == Right::Photo ? "A5-photos" : "A5-people",
                            .training = training,
                            .seed = config_.seed,
                            .settings = {fmt::format("side = {}", shape_.side),
                                         fmt::format("features = {}", shape_.features)},
                            .pictures = lesson.released.pictures,
                            .labels = rows,
                            .digest = digest_of(lesson),
                            .make_task = [&](const RunConfig& run) -> TrainingTask {
                              return {.task = std::make_unique<LinkerTask>(
                                          towers, lesson, right_, run, Parts::of_ranks(world_.batch()),
                                          precision_for(run.precision, world_.device()), world_.device())};
                            }});
    towers_ = std::move(towers);
    of_released_ = {};
    of_photos_ = {};
  }

  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    if (!towers_) throw Error("the linker (A5) looks at a release before it has learnt: call fit() first");
    const auto by = [&](Tower& tower) {
      return [&tower](const torch::Tensor& images) { return tower.forward(images); };
    };
    return {.released =
                features_of(released.pictures, shape_.features, world_, by(*towers_->released), of_released_),
            .real = features_of(real.photos, shape_.features, world_, by(*towers_->photos), of_photos_)};
  }

 private:
  Right right_;
  TrainedAttackerConfig config_;
  World& world_;
  TowerConfig shape_;
  std::optional<Towers> towers_;
  RowMemory of_released_, of_photos_;
};

}  // namespace

std::vector<std::unique_ptr<Attacker>> linkers(const TrainedAttackerConfig& config, World& world) {
  std::vector<std::unique_ptr<Attacker>> attackers;
  for (const Right right : {Right::Photo, Right::Person})
    attackers.push_back(std::make_unique<Linker>(right, config, world));
  return attackers;
}

}  // namespace facemae
