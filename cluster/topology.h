#pragma once
// Who shares a node with whom: a pure function of each rank's node leader.
#include <string>
#include <vector>

#include "cluster/world.h"

namespace facemae {

/// leader_of_rank[r]: the lowest rank on r's node. Nodes are numbered by their leaders, ranks of
/// a node in rank order.
Topology topology_of(const std::vector<int>& leader_of_rank, int rank, std::string host);

}  // namespace facemae
