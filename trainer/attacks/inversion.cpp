#include "trainer/attacks/inversion.h"

#include <torch/torch.h>

#include "core/error.h"
#include "evaluation/linkage/linkage.h"
#include "trainer/attacks/inverter.h"
#include "trainer/attacks/look.h"
#include "trainer/attacks/recogniser.h"

namespace facemae {
namespace {

constexpr std::int64_t kPixelSide = 14;

/// Looks at inverted pictures by another attacker, which learns from inverted pictures, too.
class AfterInversion final : public Attacker {
 public:
  AfterInversion(std::shared_ptr<Inverter> inverter, std::unique_ptr<Attacker> then)
      : inverter_(std::move(inverter)), then_(std::move(then)) {}

  AttackerFacts facts() const override {
    return {.id = "A7",
            .name = "inversion, then " + then_->facts().name,
            .knows = "a release of other people, made in the same way, and which of their photos went where",
            .controls = "the mechanism: it was run on people of the attacker's own",
            .cost = "one training of a U-Net"};
  }
  bool learns() const override { return true; }

  void fit(const Lesson& lesson) override {
    inverter_->fit(lesson);
    if (!then_->learns()) return;
    Lesson inverted = lesson;
    inverted.released.pictures = inverter_->invert(lesson.released.pictures);
    then_->fit(inverted);
  }

  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    if (!inverter_->has_learnt())
      throw Error("the inversion (A7) looks at a release before it has learnt: call fit() first");
    ReleasedFaces inverted = released;
    inverted.pictures = inverter_->invert(released.pictures);
    return then_->look(inverted, real);
  }

 private:
  std::shared_ptr<Inverter> inverter_;
  std::unique_ptr<Attacker> then_;
};

/// What looks at inverted pictures and needs to learn nothing: `see` makes features of any pictures.
class Looker final : public Attacker {
 public:
  using See = std::function<torch::Tensor(const torch::Tensor& pictures)>;
  Looker(std::string name, See see) : name_(std::move(name)), see_(std::move(see)) {}
  AttackerFacts facts() const override { return {.id = "A7", .name = name_}; }
  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    return {.released = see_(released.pictures), .real = see_(real.photos)};
  }

 private:
  std::string name_;
  See see_;
};

}  // namespace

std::vector<std::unique_ptr<Attacker>> inversions(const TrainedAttackerConfig& config, World& world) {
  std::vector<std::unique_ptr<Attacker>> then;
  then.push_back(std::make_unique<Looker>("pixel colour 14x14", [](const torch::Tensor& pictures) {
    return pixel_features(pictures, kPixelSide);
  }));
  for (const auto& [title, from] : {std::pair("the attacker's embedder ", &config.teacher),
                                    {"the release's recogniser ", &config.recogniser}}) {
    if (from->empty()) continue;
    then.push_back(std::make_unique<Looker>(
        title + Path(*from).filename().string(),
        [network = stored_recogniser(*from, world), memory = std::make_shared<RowMemory>(), &world](
            const torch::Tensor& pictures) { return embeddings_of(pictures, *network, world, *memory); }));
  }
  for (const auto& make : config.after_inversion) then.push_back(make());
  const auto inverter = std::make_shared<Inverter>(config, world);
  std::vector<std::unique_ptr<Attacker>> attackers;
  for (auto& attacker : then)
    attackers.push_back(std::make_unique<AfterInversion>(inverter, std::move(attacker)));
  return attackers;
}

}  // namespace facemae
