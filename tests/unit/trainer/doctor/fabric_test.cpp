#include "trainer/doctor/fabric.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

/// A rank on a node with ports of these rates in Gbit/s; negative ones are down.
Facts rank_with(int node, const std::vector<double>& rates) {
  Facts facts;
  facts.node = node;
  for (const double rate : rates)
    facts.network.ports.push_back({.port = "mlx5_0/1",
                                   .state = rate > 0 ? "ACTIVE" : "DOWN",
                                   .link = "InfiniBand",
                                   .rate = std::abs(rate)});
  return facts;
}

TEST(FabricRate, IsOfTheFastestPortThatIsActiveOnTheSlowestNode) {
  Gathered all;
  all.ranks = {rank_with(0, {2.5, 100, -400}), rank_with(1, {200})};
  EXPECT_EQ(fabric_rate(all), 12.5);
  all.ranks[0] = rank_with(0, {400});
  EXPECT_EQ(fabric_rate(all), 25);
}

TEST(FabricRate, IsZeroWhereANodeHasNone) {
  EXPECT_EQ(fabric_rate({}), 0);
  Gathered all;
  all.ranks = {rank_with(0, {100}), rank_with(1, {-100})};
  EXPECT_EQ(fabric_rate(all), 0);
}

}  // namespace
}  // namespace facemae
