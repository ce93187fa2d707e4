#include "cluster/host/topology.h"

namespace facemae {

Topology topology_of(const std::vector<int>& leader_of_rank, int rank, std::string host) {
  const int leader = leader_of_rank[static_cast<std::size_t>(rank)];
  Topology topology;
  topology.rank = rank;
  topology.size = static_cast<int>(leader_of_rank.size());
  topology.local_size = topology.nodes = 0;
  for (int r = 0; r < topology.size; ++r) {
    const int of = leader_of_rank[static_cast<std::size_t>(r)];
    if (of == r) {
      topology.node += r < leader ? 1 : 0;
      ++topology.nodes;
    }
    if (of == leader) {
      topology.local_rank += r < rank ? 1 : 0;
      ++topology.local_size;
    }
  }
  topology.host = std::move(host);
  return topology;
}

}  // namespace facemae
