#include "trainer/step/slot_gradients.h"

#include <torch/torch.h>

#include "cluster/host/fixed_tree.h"

namespace facemae {
namespace {

/// Lets backward add to `flat` in place of what the bucket's parameters have as gradients.
void point_at(const Bucket& bucket, const torch::Tensor& flat) {
  for (const auto& slot : bucket.slots) slot.value.mutable_grad() = Bucket::view(flat, slot);
}

}  // namespace

SlotGradients::SlotGradients(GradientBuckets& buckets, int slots, Communicator& ranks)
    : buckets_(buckets),
      slots_(part_bounds(slots, ranks.size()), ranks),
      flats_(own()),
      exposed_(ranks.device()) {
  for (auto& flats : flats_)
    for (const auto& bucket : buckets_.buckets()) flats.push_back(torch::zeros_like(bucket.gradients));
}

void SlotGradients::begin() {
  for (auto& flats : flats_)
    for (auto& flat : flats) flat.zero_();
}

void SlotGradients::collect(std::size_t slot) {
  for (std::size_t b = 0; b < buckets_.buckets().size(); ++b)
    point_at(buckets_.buckets()[b], flats_[slot][b]);
}

void SlotGradients::finish() {
  exposed_.begin();
  for (std::size_t b = 0; b < buckets_.buckets().size(); ++b) {
    const auto& bucket = buckets_.buckets()[b];
    slots_.sum(bucket.gradients,
               [&](std::int64_t slot) { return flats_[static_cast<std::size_t>(slot - slots_.first())][b]; });
    point_at(bucket, bucket.gradients);
  }
  exposed_.end();
}

}  // namespace facemae
