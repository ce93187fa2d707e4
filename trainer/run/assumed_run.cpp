#include "trainer/run/assumed_run.h"

#include <torch/torch.h>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "model/common/layout.h"
#include "model/recognition/recognition.h"
#include "trainer/input/machine.h"
#include "trainer/run/dry_run.h"
#include "trainer/tasks/head_need.h"
#include "trainer/tasks/recognize.h"

namespace facemae {
namespace {

constexpr std::int64_t kFewClasses = 16;  // whose logits and centres are nothing beside a network
constexpr int kSide = 112;

/// All that one rank of many has, but with few classes and its own rows alone.
class RankAlone {
 public:
  RankAlone(const RecognizeConfig& config, int ranks, torch::Device device)
      : alone_(device), config_(config) {
    const auto world = static_cast<std::uint64_t>(ranks);
    config_.common.batch = (config.common.batch + world - 1) / world;
    config_.sample_rate = 1;
    config_.class_shards = 1;
    auto network = make_network(config.network, config.network_options());
    network->to(device);
    if (config.memory_format == "channels-last") lay_out(*network, torch::MemoryFormat::ChannelsLast);
    task_.emplace(std::move(network),
                  ClassCentres(kFewClasses, 1, config.common.seed, alone_, device, torch::kFloat32, 1,
                               config.embedding),
                  config_, "", Parts::of_ranks(alone_), precision_for(config.common.precision, device),
                  device);
    gradients_.emplace(task_->parameters(), alone_, config.common.buckets());
    optimizer_.emplace(config.common.optimizer_of_run(), *gradients_);
    task_->state(snapshot_);
  }

  MemoryNeed need() {
    const BatchPlan plan{.global_batch = config_.common.batch, .micro_batches = config_.common.accumulate};
    return memory_need({*task_, *gradients_, *gradients_, *optimizer_, snapshot_}, plan, kSide, kFewClasses,
                       /*rank=*/0);
  }
  std::uint64_t trained() { return trained_values(*gradients_); }

 private:
  AloneCommunicator alone_;
  RecognizeConfig config_;
  std::optional<RecognitionTraining> task_;
  std::optional<GradientBuckets> gradients_;
  std::optional<Optimizer> optimizer_;
  Snapshot snapshot_;
};

}  // namespace

void print_assumed_run(const RecognizeConfig& config, World& world) {
  const auto classes = static_cast<std::int64_t>(config.assume_identities.value_or(0));
  const int ranks = config.assume_ranks.value_or(1);
  RunConfig run = run_config_of(config);
  const HeadNeed head = head_need(config, classes, ranks);
  if (run.batch / static_cast<std::uint64_t>(run.accumulate) < static_cast<std::uint64_t>(ranks))
    throw ConfigError(fmt::format(
        "--batch {} in {} micro-batch(es) leaves some of the {} ranks without an image: raise --batch, lower --accumulate or --assume-ranks",
        run.batch, run.accumulate, ranks));
  run.order = run.order.settled(config.assume_images.value_or(0),
                                run.batch / static_cast<std::uint64_t>(run.accumulate));
  if (!world.control().is_root()) return;
  RankAlone rank(config, ranks, world.device());
  MemoryNeed need = rank.need();
  const std::uint64_t replicated = need.weights + need.moments;
  if (run.shard_optimizer) need.moments /= static_cast<std::uint64_t>(ranks);
  need.centres = head.centres();
  need.logits = head.logits;
  need.activations += head.gathered;
  need.checkpoint = replicated / static_cast<std::uint64_t>(ranks) + head.kept();
  const std::uint64_t of_class = head.kept() / static_cast<std::uint64_t>(head.classes);
  print_dry_run(
      run,
      {.model = fmt::format("{}, {} classes in {} shards: {} on a rank, {} in a step", config.network,
                            human_count(config.assume_identities.value_or(0)), config.class_shards,
                            human_count(static_cast<std::uint64_t>(head.classes)),
                            human_count(static_cast<std::uint64_t>(head.in_step))),
       .ranks = fmt::format("{} assumed, device {}", ranks, world.device().str()),
       .rank_count = ranks,
       .trained = rank.trained(),
       .sharded = run.shard_optimizer,
       .need = need,
       .images = config.assume_images.value_or(0),
       .identities = config.assume_identities.value_or(0),
       .side = kSide,
       .checkpoint = replicated + of_class * config.assume_identities.value_or(0)},
      workers_of(run, world));
}

}  // namespace facemae
