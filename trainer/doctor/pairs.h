#pragma once
// Which nodes exchange data when, so that each link is measured on its own, and which links are slow. Pure.
#include <utility>
#include <vector>

namespace facemae {

/// Rounds of pairs of the numbers below n: every two meet once, and nobody meets two in one round (the circle method:
/// one stays, the others move on by a place).
std::vector<std::vector<std::pair<int, int>>> rounds_of_pairs(int n);

struct PairRate {
  int a = 0, b = 0;
  double rate = 0;
};
struct SlowLink {
  int node = 0, other = -1;  ///< other -1: the node is slow to all others
  double rate = 0;           ///< the best that the node has
  double usual = 0;          ///< the median of what it is compared with
};
/// Nodes whose best pair is below half of the median of the nodes' best ones; then pairs of other nodes that are below
/// half of the median of such pairs.
std::vector<SlowLink> slow_links(const std::vector<PairRate>& rates, int nodes);

}  // namespace facemae
