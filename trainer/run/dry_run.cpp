#include "trainer/run/dry_run.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "core/text.h"
#include "trainer/input/machine.h"

namespace facemae {
namespace {

constexpr int kColumn = 18;

/// Lines below each other behind one heading.
void print_under(std::string heading, const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    fmt::print("{:{}}{}\n", heading, kColumn, line);
    heading.clear();
  }
}

/// Steps that are done when this part of the run is.
std::uint64_t steps_until(double part, std::uint64_t total_steps) {
  return static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(total_steps) - 1e-6));
}

}  // namespace

std::vector<std::string> rate_lines(const RunConfig& config, std::uint64_t images) {
  const Schedule curve = config.schedule_for(images);
  const std::uint64_t steps = config.total_steps(images);
  std::vector<std::string> lines = {fmt::format(
      "peak {:g}, {} schedule{}", curve.peak, curve.kind,
      curve.kind == "polynomial" && curve.power != 1 ? fmt::format(" with power {:g}", curve.power) : "")};
  lines.push_back(curve.warmup == 0
                      ? "no warm-up"
                      : fmt::format("warm-up from zero over {} steps, {:.3g} % of the run",
                                    human_count(steps_until(curve.warmup, steps)), 100 * curve.warmup));
  if (curve.kind == "multistep") {
    std::vector<std::string> falls;
    for (const double at : curve.milestones) {
      const auto done = steps_until(at, steps);
      falls.push_back(fmt::format("{:g} after step {}", curve.at(done * config.batch), human_count(done)));
    }
    lines.push_back(join(falls, ", "));
  }
  const auto& classes = config.class_update;
  if (classes.rate != 1 || classes.weight_decay)
    lines.push_back(fmt::format("class centres on the same curve: peak {:g}, weight decay {:g}",
                                curve.peak * classes.rate,
                                classes.weight_decay.value_or(config.optimizer.weight_decay)));
  return lines;
}

std::uint64_t trained_values(GradientBuckets& gradients) {
  std::uint64_t values = 0;
  for (const auto& bucket : gradients.buckets())
    for (const auto& slot : bucket.slots) values += static_cast<std::uint64_t>(slot.value.numel());
  return values;
}

bool in_channels_last(GradientBuckets& gradients) {
  for (auto& bucket : gradients.buckets())
    for (const auto& slot : bucket.slots)
      if (slot.value.dim() == 4 && slot.value.suggest_memory_format() == torch::MemoryFormat::ChannelsLast)
        return true;
  return false;
}

void print_dry_run(const RunConfig& config, const DryRun& run, int loaders) {
  const MemoryNeed& need = run.need;
  const std::uint64_t total_steps = config.total_steps(run.images);
  const std::uint64_t rank_rows = config.batch / static_cast<std::uint64_t>(config.accumulate) /
                                      static_cast<std::uint64_t>(run.rank_count) +
                                  1;
  const std::uint64_t loader =
      rank_rows * run.side * run.side * 3 * static_cast<std::uint64_t>(2 + config.accumulate);
  const std::uint64_t images = total_steps * config.batch;
  // Saves by time (--save-minutes, --mtbf-hours) cannot be counted before a step was timed.
  const std::uint64_t saves =
      config.save_every > 0 ? (total_steps + config.save_every - 1) / config.save_every : 0;
  fmt::print("model             {}\n", run.model);
  fmt::print("ranks             {}\n", run.ranks);
  fmt::print("arithmetic        {}, float32 products {}; {} compute and {} loader thread(s) per rank\n",
             config.precision, at::globalContext().allowTF32CuBLAS() ? "in TF32" : "not in TF32",
             torch::get_num_threads(), loaders);
  fmt::print("                  convolutions in {} memory{}\n",
             run.channels_last ? "channels-last" : "contiguous",
             run.cudnn_searches ? "; cuDNN searches for the fastest kernels in the first steps" : "");
  fmt::print("parameters        {} trained, replicated on every rank\n", human_count(run.trained));
  fmt::print(
      "memory per rank   {} for tensors of a step, at its peak: {} weights, {} gradients, {} moments{},\n",
      human_bytes(need.in_step()), human_bytes(need.weights), human_bytes(need.gradients),
      human_bytes(need.moments), run.sharded ? " (sharded)" : "");
  fmt::print("                  {} class centres, {} logits, {} activations (from steps of a few faces)\n",
             human_bytes(need.centres), human_bytes(need.logits), human_bytes(need.activations));
  fmt::print("host per rank     {} loader, {} checkpoint buffer; libraries come on top\n",
             human_bytes(loader), human_bytes(need.checkpoint));
  fmt::print("store             {} images, {} identities, {}\n", human_count(run.images),
             human_count(run.identities), run.stored ? human_bytes(*run.stored) : "assumed");
  fmt::print("order             {}{}\n", config.order.kind,
             config.order.kind == "blocks"
                 ? fmt::format(": {} lanes, blocks of {} images", config.order.lanes, config.order.block)
                 : "");
  fmt::print("steps             {} of {} images: {} images, {:.2f} epochs\n", human_count(total_steps),
             config.batch, human_count(images),
             static_cast<double>(images) / static_cast<double>(run.images));
  print_under("learning rate", rate_lines(config, run.images));
  if (run.stored) fmt::print("to be read        {}\n", human_bytes(*run.stored / run.images * images));
  if (saves > 0) {
    fmt::print("to be written     {} in {} checkpoint(s) of {}, {} kept\n",
               human_bytes(saves * run.checkpoint), saves, human_bytes(run.checkpoint), config.keep);
  } else {
    fmt::print("to be written     checkpoints of {} at intervals of time, {} kept\n",
               human_bytes(run.checkpoint), config.keep);
  }
}

void print_dry_run(const RunConfig& config, const Store& store, const Snapshot& snapshot,
                   GradientBuckets& gradients, const MemoryNeed& need, World& world) {
  if (!world.control().is_root()) return;
  std::uint64_t replicated = 0, all_classes = 0, stored = 0;
  for (const auto& tensor : snapshot.replicated) replicated += tensor.value.nbytes();
  for (const auto& tensor : snapshot.by_class) {
    if (tensor.rows.size(0) > 0)
      all_classes += tensor.rows.nbytes() / static_cast<std::uint64_t>(tensor.rows.size(0)) *
                     static_cast<std::uint64_t>(tensor.total);
  }
  for (const auto& shard : store.shards()) stored += shard.bytes;
  const auto& topology = world.topology();
  print_dry_run(config,
                {.model = snapshot.model_hash,
                 .ranks = fmt::format("{} on {} node(s), device {}", topology.size, topology.nodes,
                                      world.device().str()),
                 .rank_count = topology.size,
                 .trained = trained_values(gradients),
                 .sharded = gradients.sharded(),
                 .channels_last = in_channels_last(gradients),
                 .cudnn_searches = world.device().is_cuda() && at::globalContext().benchmarkCuDNN(),
                 .need = need,
                 .images = store.size(),
                 .identities = static_cast<std::uint64_t>(std::max<std::int64_t>(0, store.identities())),
                 .side = static_cast<std::uint64_t>(store.image_size()),
                 .stored = stored,
                 .checkpoint = replicated + all_classes},
                workers_of(config, world));
}

}  // namespace facemae
