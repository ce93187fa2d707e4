#include "trainer/tasks/head_need.h"

#include <algorithm>
#include <cmath>

#include "model/softmax/class_shards.h"

namespace facemae {
namespace {

/// Classes of `own` in a step: the quota of the sample rate, or those of the images, whichever are more.
std::int64_t expected_in_step(const RecognizeConfig& config, std::int64_t classes, ClassRange own) {
  const double of_images = 1 - std::pow(1 - 1 / static_cast<double>(classes), config.common.batch);
  const double fraction = std::max(config.sample_rate, of_images);
  return std::min(own.count, static_cast<std::int64_t>(std::ceil(fraction * static_cast<double>(own.count))));
}

}  // namespace

HeadNeed head_need(const RecognizeConfig& config, std::int64_t classes, int ranks) {
  const auto row_bytes = static_cast<std::uint64_t>(config.embedding) * sizeof(float);
  ClassRange own;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto of_rank = classes_of_rank(classes, config.class_shards, rank, ranks);
    if (of_rank.count > own.count) own = of_rank;
  }
  HeadNeed need{.classes = own.count, .in_step = expected_in_step(config, classes, own)};
  const auto rows = static_cast<std::uint64_t>(need.classes),
             moved = static_cast<std::uint64_t>(need.in_step);
  const bool adamw = config.common.optimizer.kind == "adamw", sparse = config.class_update == "sparse";
  need.weights = rows * row_bytes;
  need.state = rows * (adamw ? 2 * row_bytes + (sparse ? sizeof(std::int32_t) : 0) : row_bytes);
  need.gradients = moved * row_bytes;
  need.picked = config.sample_rate < 1 ? moved * row_bytes : 0;
  const auto micro_batches = static_cast<std::uint64_t>(config.common.accumulate);
  const std::uint64_t images = (config.common.batch + micro_batches - 1) / micro_batches;
  need.logits = std::min(images * moved * sizeof(float), config.logit_mib << 20);
  need.gathered = 3 * images * row_bytes;
  return need;
}

}  // namespace facemae
