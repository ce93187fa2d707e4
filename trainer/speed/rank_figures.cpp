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

MostOfRanks most_of_ranks(const RankFigures& mine, Communicator& ranks, torch::Device device) {
  const auto own =
      torch::tensor({mine.busy_seconds, mine.data_wait_seconds, mine.memory_bytes}, torch::kFloat32)
          .reshape({1, 3})
          .to(device);
  auto all = torch::empty({ranks.size(), 3}, own.options());
  ranks.all_gather(all, own).wait();
  ranks.check();
  return most_of(all);
}

}  // namespace facemae
