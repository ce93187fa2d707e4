#pragma once
// How much memory the softmax over classes takes on a rank, as the configuration says. Nothing is allocated to find out.
#include <cstdint>

#include "trainer/config/run_config.h"

namespace facemae {

/// Of the rank with most of it; bytes but for the numbers of classes.
struct HeadNeed {
  std::int64_t classes = 0;     ///< rows that it owns
  std::int64_t in_step = 0;     ///< rows that take part in a step: expected number
  std::uint64_t weights = 0;    ///< 2,048 a row of 512 values
  std::uint64_t state = 0;      ///< of the optimizer: sgd 2,048 a row; adamw 4,096, and sparse 4 for a count
  std::uint64_t gradients = 0;  ///< 2,048 for each row of a step
  std::uint64_t picked = 0;     ///< the weights of these rows together, where they are not all
  std::uint64_t logits = 0;     ///< of a micro-batch, or of as much of it as --logit-mib allows
  std::uint64_t gathered = 0;   ///< embeddings of all ranks, with directions and gradients
  std::uint64_t kept() const { return weights + state; }  ///< from step to step: what checkpoints have
  std::uint64_t centres() const { return kept() + gradients + picked; }
};

/// Pure. Of `classes` over `ranks`, with labels drawn from all of them alike. Throws ConfigError when there are more ranks
/// than --class-shards.
HeadNeed head_need(const RecognizeConfig& config, std::int64_t classes, int ranks);

}  // namespace facemae
