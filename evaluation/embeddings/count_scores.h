#pragma once
// Counts scores above a band and within it. In a file of its own, free of LibTorch, for the sake of its vector
// instructions.
#include <cstdint>
#include <span>

namespace facemae {

struct ScoreBand {
  std::int64_t above = 0, within = 0;
};
/// How many scores are above `high`, and how many of the others at least `low`.
ScoreBand count_scores(std::span<const float> scores, float low, float high);

}  // namespace facemae
