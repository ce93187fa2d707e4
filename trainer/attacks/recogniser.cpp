#include "trainer/attacks/recogniser.h"

#include <torch/torch.h>

#include <algorithm>

#include "cluster/host/agree.h"
#include "core/log.h"
#include "model/common/layout.h"
#include "trainer/apply/models.h"
#include "trainer/attacks/attacker_run.h"
#include "trainer/attacks/lesson_pairs.h"
#include "trainer/attacks/look.h"
#include "trainer/attacks/picture_batch.h"
#include "trainer/tasks/recognize.h"

namespace facemae {
namespace {

constexpr AttackTraining kRecognition{.steps = 300, .batch = 64, .lr = 0.05};

RecognizeConfig recognition_of(const RunConfig& config, const std::string& network) {
  RecognizeConfig recognition;
  recognition.common = config;
  recognition.network = network;
  recognition.margin = "cosface";
  recognition.margin_m = 0.2;
  return recognition;
}

Evidence seen_by(RecognitionNetwork& network, const ReleasedFaces& released, const RealFaces& real,
                 World& world, RowMemory& memory) {
  return {.released = embeddings_of(released.pictures, network, world, memory),
          .real = embeddings_of(real.photos, network, world, memory)};
}

class OwnRecogniser final : public Attacker {
 public:
  OwnRecogniser(const TrainedAttackerConfig& config, World& world) : config_(config), world_(world) {}

  AttackerFacts facts() const override {
    return {
        .id = "A4",
        .name = "recogniser of the release, " +
                (config_.recogniser.empty() ? config_.network : Path(config_.recogniser).filename().string()),
        .knows = "the release alone: the network is trained on its pictures and labels, as anybody may do",
        .controls = "nothing",
        .cost = "one training of a recogniser"};
  }

  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    if (config_.recogniser.empty()) {
      RowMemory memory;
      const auto network =
          trained_recogniser("A4", released.pictures, released.classes, digest_of(released), config_, world_);
      if (!first_) first_ = network;
      return seen_by(*network, released, real, world_, memory);
    }
    if (!first_) first_ = stored_recogniser(config_.recogniser, world_);
    return seen_by(*first_, released, real, world_, memory_);
  }

  double least_of_other_photos() const override { return kOtherPhotosOfTheTaught; }
  Evidence look_at_photos(const ReleasedFaces& photos, const RealFaces& real) override {
    if (!first_) return look(photos, real);
    return seen_by(*first_, photos, real, world_, memory_);
  }

 private:
  TrainedAttackerConfig config_;
  World& world_;
  std::shared_ptr<RecognitionNetwork> first_;  ///< given, or that of the release that was looked at first
  RowMemory memory_;                           ///< of it
};

class Parrot final : public Attacker {
 public:
  Parrot(const TrainedAttackerConfig& config, World& world) : config_(config), world_(world) {}

  AttackerFacts facts() const override {
    return {.id = "A9",
            .name = "parrot, " + config_.network,
            .knows = "a release of other people, made in the same way",
            .controls = "the mechanism: it was run on people of the attacker's own",
            .cost = "one training of a recogniser"};
  }
  bool learns() const override { return true; }

  void fit(const Lesson& lesson) override {
    network_ = trained_recogniser("A9", lesson.released.pictures, lesson.released.classes,
                                  digest_of(lesson.released), config_, world_);
    memory_ = {};
  }

  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    if (!network_) throw Error("the parrot (A9) looks at a release before it has learnt: call fit() first");
    return seen_by(*network_, released, real, world_, memory_);
  }

  double least_of_other_photos() const override { return kOtherPhotosOfTheTaught; }

 private:
  TrainedAttackerConfig config_;
  World& world_;
  std::shared_ptr<RecognitionNetwork> network_;
  RowMemory memory_;
};

}  // namespace

void lay_out_for(torch::Device device, const std::string& name, RecognitionNetwork& network,
                 std::vector<std::string>& settings) {
  const auto format = fastest_format(name, device, /*reduced=*/true);
  lay_out(network, format);
  if (format == torch::MemoryFormat::ChannelsLast) settings.emplace_back("memory-format = channels-last");
}

std::shared_ptr<RecognitionNetwork> trained_recogniser(const std::string& name, const torch::Tensor& pictures,
                                                       const std::vector<std::int64_t>& classes,
                                                       const std::string& digest,
                                                       const TrainedAttackerConfig& config, World& world) {
  auto network = make_network(config.network);
  network->initialise(config.seed);
  network->to(world.device());
  if (std::any_of(classes.begin(), classes.end(), [](std::int64_t label) { return label < 0; }))
    throw AgreedError(DataError(fmt::format(
        "attacker {}: a released picture has no class, which a recogniser cannot learn: leave such pictures out with `facemae store subset --min-images-per-identity 1`",
        name)));
  const std::int64_t count = classes.empty() ? 0 : *std::max_element(classes.begin(), classes.end()) + 1;
  if (count < 2)
    throw AgreedError(ConfigError(fmt::format(
        "attacker {}: a recogniser needs pictures of at least two classes, there are {}: audit a larger release",
        name, count)));
  std::vector<std::string> settings = {"network = " + config.network, fmt::format("classes = {}", count)};
  lay_out_for(world.device(), config.network, *network, settings);
  const auto make_task = [&](const RunConfig& run) -> TrainingTask {
    ClassCentres centres(count, std::max<std::int64_t>(1024, world.topology().size), run.seed, world.batch(),
                         world.device());
    return {.task = std::make_unique<RecognitionTraining>(
                network, std::move(centres), recognition_of(run, config.network),
                fmt::format("{}, {} classes", config.network, count), Parts::of_ranks(world.batch()),
                precision_for(run.precision, world.device()), world.device())};
  };
  AttackBudget budget = config.budget;
  budget.lr.reset();
  train_attacker(world, {.folder = config.folder,
                         .name = name,
                         .training = within(budget, kRecognition),
                         .seed = config.seed,
                         .recognises = true,
                         .settings = settings,
                         .pictures = pictures,
                         .labels = classes,
                         .side = kFaceSide,
                         .digest = digest,
                         .make_task = make_task});
  network->eval();
  return network;
}

std::shared_ptr<RecognitionNetwork> stored_recogniser(const std::string& from, World& world) {
  std::shared_ptr<RecognitionNetwork> network;
  std::string hash;
  together(world.control(), [&] {
    const Weights weights = read_weights(from);
    hash = weights.hash;
    network = network_at_work(weights, world.device());
  });
  expect_same_weights(world.control(), from, hash);
  return network;
}

std::vector<std::unique_ptr<Attacker>> own_recogniser(const TrainedAttackerConfig& config, World& world) {
  std::vector<std::unique_ptr<Attacker>> attackers;
  attackers.push_back(std::make_unique<OwnRecogniser>(config, world));
  return attackers;
}

std::vector<std::unique_ptr<Attacker>> parrot(const TrainedAttackerConfig& config, World& world) {
  std::vector<std::unique_ptr<Attacker>> attackers;
  attackers.push_back(std::make_unique<Parrot>(config, world));
  return attackers;
}

}  // namespace facemae
