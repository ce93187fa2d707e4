#pragma once
// Who shares a node with whom: a pure function of each rank's node leader.
#include <string>
#include <vector>

#include "core/host.h"

namespace facemae {

/// Rank, node and neighbours; a pure record after start-up.
struct Topology {
  int rank = 0, size = 1;
  int local_rank = 0, local_size = 1;  ///< among the ranks of this host
  int node = 0, nodes = 1;             ///< nodes are numbered by their lowest rank
  /// Cores for this rank's threads: those that its launcher gave it alone, and its part of those that other ranks of
  /// the node may use as well (cluster/host/core_share.h).
  int cores = 1;
  CoreMask core_mask;  ///< for processes that this rank starts: none of them another rank's; none set: any
  std::string host;
};

/// leader_of_rank[r]: the lowest rank on r's node. Nodes are numbered by their leaders, ranks of
/// a node in rank order.
Topology topology_of(const std::vector<int>& leader_of_rank, int rank, std::string host);

}  // namespace facemae
