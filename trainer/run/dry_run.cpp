#include "trainer/run/dry_run.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/log.h"
#include "core/text.h"
#include "trainer/input/machine.h"

namespace facemae {

std::uint64_t trained_values(GradientBuckets& gradients) {
  std::uint64_t values = 0;
  for (const auto& bucket : gradients.buckets())
    for (const auto& slot : bucket.slots) values += static_cast<std::uint64_t>(slot.value.numel());
  return values;
}

void print_dry_run(const RunConfig& config, const Store& store, const Snapshot& snapshot,
                   GradientBuckets& gradients, const MemoryNeed& need, World& world,
                   std::uint64_t total_steps) {
  std::uint64_t replicated = 0, all_classes = 0, stored = 0;
  for (const auto& tensor : snapshot.replicated) replicated += tensor.value.nbytes();
  for (const auto& tensor : snapshot.by_class) {
    if (tensor.rows.size(0) > 0)
      all_classes += tensor.rows.nbytes() / static_cast<std::uint64_t>(tensor.rows.size(0)) *
                     static_cast<std::uint64_t>(tensor.total);
  }
  for (const auto& shard : store.shards()) stored += shard.bytes;
  const auto side = static_cast<std::uint64_t>(store.image_size());
  const std::uint64_t rank_rows = config.batch / static_cast<std::uint64_t>(config.accumulate) /
                                      static_cast<std::uint64_t>(world.topology().size) +
                                  1;
  const std::uint64_t loader =
      rank_rows * side * side * 3 * static_cast<std::uint64_t>(2 + config.accumulate);
  const std::uint64_t images = total_steps * config.batch;
  const std::uint64_t read = store.size() > 0 ? stored / store.size() * images : 0;
  // Saves by time (--save-minutes, --mtbf-hours) cannot be counted before a step was timed.
  const std::uint64_t saves =
      config.save_every > 0 ? (total_steps + config.save_every - 1) / config.save_every : 0;
  if (!world.control().is_root()) return;
  fmt::print("model             {}\n", snapshot.model_hash);
  fmt::print("ranks             {} on {} node(s), device {}\n", world.topology().size, world.topology().nodes,
             world.device().str());
  fmt::print("arithmetic        {}, float32 products {}; {} compute and {} loader thread(s) per rank\n",
             config.precision, at::globalContext().allowTF32CuBLAS() ? "in TF32" : "not in TF32",
             torch::get_num_threads(), workers_of(config, world));
  fmt::print("parameters        {} trained, replicated on every rank\n",
             human_count(trained_values(gradients)));
  fmt::print(
      "memory per rank   {} for tensors of a step, at its peak: {} weights, {} gradients, {} moments{},\n",
      human_bytes(need.in_step()), human_bytes(need.weights), human_bytes(need.gradients),
      human_bytes(need.moments), gradients.sharded() ? " (sharded)" : "");
  fmt::print("                  {} class centres, {} logits, {} activations (from steps of a few faces)\n",
             human_bytes(need.centres), human_bytes(need.logits), human_bytes(need.activations));
  fmt::print("host per rank     {} loader, {} checkpoint buffer; libraries come on top\n",
             human_bytes(loader), human_bytes(need.checkpoint));
  fmt::print("store             {} images, {} identities, {}\n", human_count(store.size()),
             human_count(static_cast<std::uint64_t>(std::max<std::int64_t>(0, store.identities()))),
             human_bytes(stored));
  fmt::print("order             {}{}\n", config.order.kind,
             config.order.kind == "blocks"
                 ? fmt::format(": {} lanes, blocks of {} images", config.order.lanes, config.order.block)
                 : "");
  fmt::print("steps             {} of {} images: {} images, {:.2f} epochs\n", human_count(total_steps),
             config.batch, human_count(images),
             static_cast<double>(images) / static_cast<double>(store.size()));
  fmt::print("learning rate     peak {:g}, {} schedule, warm-up {:g} of the run\n", config.peak_lr(),
             config.schedule, config.warmup);
  fmt::print("to be read        {}\n", human_bytes(read));
  const std::uint64_t checkpoint = replicated + all_classes;
  if (saves > 0) {
    fmt::print("to be written     {} in {} checkpoint(s) of {}, {} kept\n", human_bytes(saves * checkpoint),
               saves, human_bytes(checkpoint), config.keep);
  } else {
    fmt::print("to be written     checkpoints of {} at intervals of time, {} kept\n", human_bytes(checkpoint),
               config.keep);
  }
}

}  // namespace facemae
