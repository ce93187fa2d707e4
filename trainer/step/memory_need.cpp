#include "trainer/step/memory_need.h"

#include <torch/torch.h>

#include <algorithm>

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
  Faces faces(std::vector<std::uint64_t> ordinals, std::size_t part) const {
    const auto rows = static_cast<std::int64_t>(ordinals.size());
    return {.images = torch::rand({rows, 3, side_, side_}, device_),
            .labels = torch::randint(classes_, {rows}, torch::kInt64).to(device_),
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
  if (run.gradients.sharded()) need.checkpoint += run.optimizer.moment_bytes() * world;

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
  if (const auto gradient = run.task.class_gradient().values; gradient.defined())
    need.centres += gradient.nbytes();  // as the last step left it
  if (own.centres.defined())
    need.logits = rows * static_cast<std::uint64_t>(own.centres.size(0)) * sizeof(float);
  need.activations = static_cast<std::uint64_t>(std::max(0.0, peak - static_cast<double>(need.logits)));
  return need;
}

}  // namespace facemae
