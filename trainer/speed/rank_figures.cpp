#include "trainer/speed/rank_figures.h"

#include <torch/torch.h>

namespace facemae {

MostOfRanks most_of(const torch::Tensor& all) {
  const auto rows = all.to(torch::kCPU, torch::kFloat64);
  const auto at = rows.argmax(0);
  const auto most = [&](std::int64_t column) {
    const auto rank = at[column].item<std::int64_t>();
    return Most{.value = rows[rank][column].item<double>(), .rank = static_cast<int>(rank)};
  };
  return {.busy = most(0), .data_wait = most(1), .memory = most(2)};
}

}  // namespace facemae
