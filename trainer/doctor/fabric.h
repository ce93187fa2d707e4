#pragma once
// What the network cards of the nodes claim.
#include "cluster/doctor/checks.h"

namespace facemae {

/// Pure. GB/s of a node's fastest active port, of the node where that is slowest; 0 where a node has none.
double fabric_rate(const Gathered& all);

}  // namespace facemae
