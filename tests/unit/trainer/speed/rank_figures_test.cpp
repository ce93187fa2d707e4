#include "trainer/speed/rank_figures.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace facemae {
namespace {

TEST(RankFigures, NameTheRankThatHasTheMostOfEach) {
  const auto most = most_of(torch::tensor({{0.5, 3.0, 7e9}, {0.75, 0.0, 6e9}, {0.5, 4.0, 7e9}}));
  EXPECT_EQ(most.busy.rank, 1);
  EXPECT_EQ(most.busy.value, 0.75);
  EXPECT_EQ(most.data_wait.rank, 2);
  EXPECT_EQ(most.data_wait.value, 4);
  EXPECT_TRUE(most.memory.rank == 0 || most.memory.rank == 2);
  EXPECT_NEAR(most.memory.value, 7e9, 1e3);
}

}  // namespace
}  // namespace facemae
