#include "trainer/run/assumed_run.h"

#include <torch/torch.h>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "model/common/layout.h"
#include "model/facemae/relation.h"
#include "model/recognition/recognition.h"
#include "trainer/input/machine.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/make_task.h"
#include "trainer/tasks/head_need.h"
#include "trainer/tasks/recognize.h"

namespace facemae {
namespace {

constexpr std::int64_t kFewClasses = 16;  // whose logits and centres are nothing beside a network
constexpr int kSide = 112;

std::uint64_t parts_of(std::uint64_t whole, std::uint64_t parts) { return (whole + parts - 1) / parts; }

/// What one rank of many trains, but with few classes and alone.
TrainingTask task_alone(RecognizeConfig config, Communicator& alone, torch::Device device) {
  config.sample_rate = 1;
  config.class_shards = 1;
  auto network = make_network(config.network, config.network_options());
  network->to(device);
  if (config.memory_format == "channels-last") lay_out(*network, torch::MemoryFormat::ChannelsLast);
  ClassCentres centres(kFewClasses, 1, config.common.seed, alone, device, torch::kFloat32, 1,
                       config.embedding);
  return {.task = std::make_unique<RecognitionTraining>(
              std::move(network), std::move(centres), config, "", Parts::of_ranks(alone),
              precision_for(config.common.precision, device), device)};
}
TrainingTask task_alone(const PretrainConfig& config, Communicator& alone, torch::Device device) {
  return make_pretraining(config, kSide, Parts::of_ranks(alone), device, "");
}

/// A rank's part of the work, and what it needs for that.
class RankAlone {
 public:
  template <class Config>
  RankAlone(Config config, std::uint64_t ranks, torch::Device device) : alone_(device) {
    RunConfig run = run_config_of(config);
    const std::uint64_t sets = run.batch / run.together;  // cut up between ranks, never inside
    config.common.batch = run.batch = parts_of(sets, ranks) * run.together;
    plan_ = {.global_batch = run.batch, .micro_batches = run.accumulate, .together = run.together};
    training_ = task_alone(config, alone_, device);
    gradients_.emplace(training_.task->parameters(), alone_, run.buckets());
    optimizer_.emplace(run.optimizer_of_run(), *gradients_);
    training_.task->state(snapshot_);
  }

  MemoryNeed need() {
    return memory_need({*training_.task, *gradients_, *gradients_, *optimizer_, snapshot_}, plan_, kSide,
                       kFewClasses, /*rank=*/0);
  }
  std::uint64_t trained() { return trained_values(*gradients_); }
  bool channels_last() { return in_channels_last(*gradients_); }
  std::string kind() const { return training_.task->kind(); }
  std::int64_t related_values() const { return training_.related_values; }

 private:
  AloneCommunicator alone_;
  BatchPlan plan_;
  TrainingTask training_;
  std::optional<GradientBuckets> gradients_;
  std::optional<Optimizer> optimizer_;
  Snapshot snapshot_;
};

/// Of the configuration, as its store would settle it.
RunConfig assumed_run_of(RunConfig run) {
  const auto ranks = static_cast<std::uint64_t>(run.assume_ranks.value_or(1));
  const std::uint64_t micro_batch = run.batch / static_cast<std::uint64_t>(run.accumulate);
  if (micro_batch / run.together < ranks)
    throw ConfigError(fmt::format(
        "--batch {} in {} micro-batch(es) leaves some of the {} ranks without {}: raise --batch, lower --accumulate or --assume-ranks",
        run.batch, run.accumulate, ranks, run.together > 1 ? "a picture" : "an image"));
  run.order = run.order.settled(run.assume_images.value_or(0), micro_batch);
  return run;
}

/// What is said of both trainings. `need` is of a rank; its checkpoint becomes a rank's part, with `kept` bytes of its own
/// beside it, as what all ranks write with `of_classes` of them together.
void print(const RunConfig& run, std::string model, RankAlone& rank, MemoryNeed need, std::uint64_t kept,
           std::uint64_t of_classes, World& world) {
  const int ranks = run.assume_ranks.value_or(1);
  const std::uint64_t replicated = need.weights + need.moments;
  if (run.shard_optimizer) need.moments /= static_cast<std::uint64_t>(ranks);
  need.checkpoint = replicated / static_cast<std::uint64_t>(ranks) + kept;
  print_dry_run(run,
                {.model = std::move(model),
                 .ranks = fmt::format("{} assumed, device {}", ranks, world.device().str()),
                 .rank_count = ranks,
                 .trained = rank.trained(),
                 .sharded = run.shard_optimizer,
                 .channels_last = rank.channels_last(),
                 .cudnn_searches = world.device().is_cuda() && at::globalContext().benchmarkCuDNN(),
                 .need = need,
                 .images = run.assume_images.value_or(0),
                 .identities = run.assume_identities.value_or(0),
                 .side = kSide,
                 .checkpoint = replicated + of_classes},
                workers_of(run, world));
}

}  // namespace

void print_assumed_run(const RecognizeConfig& config, World& world) {
  const RunConfig run = assumed_run_of(run_config_of(config));
  const std::uint64_t people = run.assume_identities.value_or(0);
  const int ranks = run.assume_ranks.value_or(1);
  const HeadNeed head = head_need(config, static_cast<std::int64_t>(people), ranks);
  if (!world.control().is_root()) return;
  RankAlone rank(config, static_cast<std::uint64_t>(ranks), world.device());
  MemoryNeed need = rank.need();
  need.centres = head.centres();
  need.logits = head.logits;
  need.activations += head.gathered;
  const auto classes = static_cast<std::uint64_t>(head.classes);
  print(run,
        fmt::format("{}, {} classes in {} shards: {} on a rank, {} in a step", config.network,
                    human_count(people), config.class_shards, human_count(classes),
                    human_count(static_cast<std::uint64_t>(head.in_step))),
        rank, need, head.kept(), head.kept() / classes * people, world);
}

void print_assumed_run(const PretrainConfig& config, World& world) {
  const RunConfig run = assumed_run_of(run_config_of(config));
  const int ranks = run.assume_ranks.value_or(1);
  if (!world.control().is_root()) return;
  RankAlone rank(config, static_cast<std::uint64_t>(ranks), world.device());
  MemoryNeed need = rank.need();
  need.activations += related_bytes(config, rank.related_values(), ranks);
  print(run, rank.kind(), rank, need, 0, 0, world);
}

std::uint64_t related_bytes(const PretrainConfig& config, std::int64_t values, int ranks) {
  if (values == 0) return 0;
  const RunConfig run = run_config_of(config);
  const std::uint64_t passes =
      config.relation_batch == "global" ? 1 : static_cast<std::uint64_t>(run.accumulate);
  const std::uint64_t all = parts_of(run.batch / run.together, passes),
                      own = parts_of(all, static_cast<std::uint64_t>(ranks)),
                      width = static_cast<std::uint64_t>(values);
  if (by_sums(relation_from(config.relation), {.pairs = config.relation_form == "pairs"}, values,
              static_cast<std::int64_t>(all)))
    return 3 * sizeof(double) * width * width;
  return 3 * sizeof(float) * all * width + 4 * sizeof(float) * own * all;
}

}  // namespace facemae
