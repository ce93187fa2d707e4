#include "trainer/watch/line_figures.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/tensors/alone.h"

namespace facemae {
namespace {

TEST(LineFigures, AreTheMetricsTheFaultsThatHappenedAndTheMostOfRanks) {
  AloneCommunicator alone;
  LoaderFigures data;
  data.reads.retries = 3;
  auto loss = torch::full({}, 1.5, torch::kFloat64);
  const LineFigures figures({{"loss", loss}, {"accuracy", torch::full({1}, 0.25)}}, data,
                            {.busy_seconds = 0.25, .data_wait_seconds = 2, .memory_bytes = 1024}, alone);
  loss.zero_();  // the next step
  const auto known = figures.known();
  EXPECT_EQ(known.metrics, (LineFigures::Named{{"loss", 1.5}, {"accuracy", 0.25}}));
  EXPECT_EQ(known.faults, (LineFigures::Named{{"data_retries", 3}}));
  EXPECT_EQ(known.most.busy.value, 0.25);
  EXPECT_EQ(known.most.data_wait.value, 2);
  EXPECT_EQ(known.most.memory.value, 1024);
  EXPECT_EQ(known.most.memory.rank, 0);
}

}  // namespace
}  // namespace facemae
