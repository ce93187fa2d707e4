#include "trainer/tasks/head_need.h"

#include <algorithm>
#include <cmath>

#include "model/recognition/recognition.h"
#include "model/softmax/class_shards.h"

namespace facemae {
namespace {

constexpr std::uint64_t kRowBytes = kEmbeddingWidth * sizeof(float);

/// Classes of `own` in a step: the quota of the sample rate, or those of the images, whichever are more.
std::int64_t expected_in_step(const RecognizeConfig& config, std::int64_t classes, ClassRange own) {
  const double of_images = 1 - std::pow(1 - 1 / static_cast<double>(classes), config.common.batch);
  const double fraction = std::max(config.sample_rate, of_images);
  return std::min(own.count, static_cast<std::int64_t>(std::ceil(fraction * static_cast<double>(own.count))));
}

}  // namespace

HeadNeed head_need(const RecognizeConfig& config, std::int64_t classes, int ranks) {
  ClassRange own;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto of_rank = classes_of_rank(classes, config.class_shards, rank, ranks);
    if (of_rank.count > own.count) own = of_rank;
  }
  HeadNeed need{.classes = own.count, .in_step = expected_in_step(config, classes, own)};
  const auto rows = static_cast<std::uint64_t>(need.classes),
             moved = static_cast<std::uint64_t>(need.in_step);
  const bool adamw = config.common.optimizer.kind == "adamw", sparse = config.class_update == "sparse";
  need.weights = rows * kRowBytes;
  need.state = rows * (adamw ? 2 * kRowBytes + (sparse ? sizeof(std::int32_t) : 0) : kRowBytes);
  need.gradients = moved * kRowBytes;
  need.picked = config.sample_rate < 1 ? moved * kRowBytes : 0;
  const auto micro_batches = static_cast<std::uint64_t>(config.common.accumulate);
  const std::uint64_t images = (config.common.batch + micro_batches - 1) / micro_batches;
  need.logits = std::min(images * moved * sizeof(float), config.logit_mib << 20);
  need.gathered = 3 * images * kRowBytes;
  return need;
}

}  // namespace facemae
