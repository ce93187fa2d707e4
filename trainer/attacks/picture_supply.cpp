#include "trainer/attacks/picture_supply.h"

#include <torch/torch.h>

#include "trainer/attacks/picture_batch.h"

namespace facemae {

PictureSupply::PictureSupply(torch::Tensor pictures, std::vector<std::int64_t> labels, std::int64_t side,
                             const RunConfig& config, World& world, std::uint64_t first_step)
    : pictures_(std::move(pictures)),
      labels_(std::move(labels)),
      side_(side),
      seed_(config.seed),
      flip_(config.flip),
      world_(world),
      order_(static_cast<std::uint64_t>(pictures_.size(0)), config.seed),
      plan_{.global_batch = config.batch, .micro_batches = config.accumulate, .world = world.topology().size},
      step_(first_step) {}

std::vector<Faces> PictureSupply::next() {
  Faces faces{.ordinals = plan_.ordinals(step_, micro_, world_.topology().rank),
              .rows_of_rank = plan_.rows_of_rank(micro_),
              .step = step_,
              .micro = micro_};
  std::vector<std::int64_t> rows, labels;
  for (const auto ordinal : faces.ordinals) {
    rows.push_back(static_cast<std::int64_t>(order_.row(ordinal)));
    labels.push_back(labels_[static_cast<std::size_t>(rows.back())]);
  }
  faces.images = picture_batch(pictures_, rows, side_, world_.device());
  if (flip_) faces.images = mirrored(faces.images, faces.ordinals, seed_);
  faces.labels = torch::tensor(labels, torch::kInt64).to(world_.device());
  if (++micro_ == plan_.micro_batches) {
    micro_ = 0;
    ++step_;
  }
  return {std::move(faces)};
}

}  // namespace facemae
