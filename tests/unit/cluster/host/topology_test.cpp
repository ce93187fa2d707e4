#include "cluster/host/topology.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(Topology, NumbersNodesByTheirLowestRankAndRanksWithinThem) {
  const std::vector<int> leaders = {0, 1, 0, 1, 4, 0};  // three nodes, ranks dealt out round robin
  const std::vector<int> node = {0, 1, 0, 1, 2, 0}, local = {0, 0, 1, 1, 0, 2},
                         neighbours = {3, 2, 3, 2, 1, 3};
  for (int rank = 0; rank < 6; ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    const auto topology = topology_of(leaders, rank, "host");
    EXPECT_EQ(topology.rank, rank);
    EXPECT_EQ(topology.size, 6);
    EXPECT_EQ(topology.nodes, 3);
    EXPECT_EQ(topology.node, node[r]);
    EXPECT_EQ(topology.local_rank, local[r]);
    EXPECT_EQ(topology.local_size, neighbours[r]);
    EXPECT_EQ(topology.host, "host");
  }
}

}  // namespace
}  // namespace facemae
