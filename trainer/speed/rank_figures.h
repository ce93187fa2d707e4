#pragma once
// What the slowest, the most starved and the largest rank of a run is: rank 0's own figures would hide them.
#include <torch/types.h>

namespace facemae {

/// Of one rank, since the line before.
struct RankFigures {
  double busy_seconds = 0;       ///< of a step, in its own work: without waiting for what other ranks compute
  double data_wait_seconds = 0;  ///< of all steps together
  double memory_bytes = 0;
};

struct Most {
  double value = 0;
  int rank = 0;  ///< the lowest that has it
};
struct MostOfRanks {
  Most busy, data_wait, memory;
};

/// Pure. `all`: [ranks, 3], a row of RankFigures each.
MostOfRanks most_of(const torch::Tensor& all);

}  // namespace facemae
