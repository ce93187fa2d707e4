#include "trainer/step/memory_need.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/random/keys.h"
#include "trainer/step/memory_meter.h"
#include "trainer/step/step.h"

namespace facemae {
namespace {

/// Noise for a batch of any size.
class Noise final : public FaceSource {
 public:
  Noise(const BatchPlan& plan, int side, std::int64_t classes, int rank, torch::Device device)
      : plan_(plan),
        side_(side),
        classes_(std::max<std::int64_t>(1, classes)),
        rank_(rank),
        device_(device) {}

  std::vector<std::int64_t> prepare(int /*micro_batches*/) override {
    std::vector<std::int64_t> all;
    for (int rank = 0; rank < plan_.world; ++rank)
      for (const auto ordinal : plan_.ordinals(0, 0, rank)) all.push_back(label_of(ordinal));
    return all;
  }
  std::vector<Faces> next() override {
    auto ordinals = plan_.ordinals(0, 0, rank_);
    if (plan_.slots == 0) return {faces(std::move(ordinals), 0)};
    std::vector<Faces> slots;
    auto at = ordinals.begin();
    for (const auto rows : plan_.rows_of_slots(0, rank_)) {
      slots.push_back(faces({at, at + rows}, slots.size()));
      at += rows;
    }
    return slots;
  }

 private:
  /// Somewhere among the classes, the same on every rank.
  std::int64_t label_of(std::uint64_t ordinal) const {
    return static_cast<std::int64_t>(mix(ordinal + 1) % static_cast<std::uint64_t>(classes_));
  }
  Faces faces(std::vector<std::uint64_t> ordinals, std::size_t part) const {
    const auto rows = static_cast<std::int64_t>(ordinals.size());
    std::vector<std::int64_t> labels;
    for (const auto ordinal : ordinals) labels.push_back(label_of(ordinal));
    return {.images = torch::rand({rows, 3, side_, side_}, device_),
            .labels = torch::tensor(labels, torch::kInt64).to(device_),
            .ordinals = std::move(ordinals),
            .rows_of_rank = plan_.rows_of_rank(0),
            .part = part};
  }

  BatchPlan plan_;
  int side_;
  std::int64_t classes_;
  int rank_;
  torch::Device device_;
};

/// Of a micro-batch of `rows` over all ranks: what its step allocates at most, beside what is there before.
std::int64_t peak_of_step(const Prepared& run, BatchPlan plan, std::uint64_t rows, int side,
                          std::int64_t classes, int rank) {
  plan.global_batch = rows;
  plan.micro_batches = 1;
  const auto device = run.gradients.buckets().front().values.device();
  MemoryMeter meter(device.type());
  Noise noise(plan, side, classes, rank, device);
  Step step(run.task, noise, run.sums, 1);
  step.compute(0);  // what the first step alone allocates, and keeps
  meter.restart();
  step.compute(0);
  return meter.peak();
}

}  // namespace

MemoryNeed memory_need(const Prepared& run, const BatchPlan& plan, int side, std::int64_t classes, int rank) {
  std::uint64_t rows = 0;
  for (int micro = 0; micro < plan.micro_batches; ++micro)
    rows = std::max(rows, static_cast<std::uint64_t>(plan.micro_rows(micro)));

  MemoryNeed need;
  std::uint64_t replicated = 0, by_class = 0;
  for (const auto& tensor : run.snapshot.replicated) {
    replicated += tensor.value.nbytes();
    if (tensor.name.starts_with("model.")) need.weights += tensor.value.nbytes();
  }
  for (const auto& tensor : run.snapshot.by_class) by_class += tensor.rows.nbytes();
  need.gradients = run.gradients.gradient_bytes();
  if (plan.slots > 0)
    for (const auto& bucket : run.gradients.buckets())
      need.gradients += bucket.gradients.nbytes() * plan.rows_of_slots(0, rank).size();
  const Classes own = run.task.classes();
  need.moments = run.optimizer.moment_bytes();
  const auto world = static_cast<std::uint64_t>(plan.world);
  need.checkpoint = replicated / world + by_class;
  const std::uint64_t whole_moments = run.gradients.sharded() ? run.optimizer.moment_bytes() * world : 0;
  const bool on_host = run.gradients.ranks().device().is_cpu();
  if (on_host) need.checkpoint += whole_moments;

  // Memory is linear in the rows, but for the tensors of weights that a backward pass makes on its way.
  const std::uint64_t unit = plan.together * static_cast<std::uint64_t>(std::max(plan.world, plan.slots));
  const std::uint64_t few = std::min(rows, 4 * unit), more = std::min(rows, 8 * unit);
  const auto at_few = peak_of_step(run, plan, few, side, classes, rank);
  double peak = static_cast<double>(at_few);
  if (more > few) {
    const auto at_more = peak_of_step(run, plan, more, side, classes, rank);
    peak += static_cast<double>(at_more - at_few) * static_cast<double>(rows - few) /
            static_cast<double>(more - few);
  }
  need.centres = by_class;
  std::uint64_t all_logits = 0;
  if (const auto gradient = run.task.class_gradient();
      gradient.values.defined()) {  // as the last step left it
    need.centres +=
        gradient.values.nbytes() * (gradient.rows.defined() ? 2 : 1);  // sampled ones are copied together
    all_logits = rows * static_cast<std::uint64_t>(gradient.values.size(0)) * sizeof(float);
    need.logits = std::min(all_logits, own.logit_bytes);
  }
  need.activations = static_cast<std::uint64_t>(std::max(0.0, peak - static_cast<double>(all_logits)));
  if (!on_host) need.activations = std::max(need.activations, whole_moments);  // of a save, between steps
  return need;
}

}  // namespace facemae
