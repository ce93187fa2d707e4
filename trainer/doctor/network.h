#pragma once
// How fast ranks and nodes exchange data. All ranks; figures are rank 0's. Throws PeerLost.
#include <vector>

#include "cluster/doctor/measured.h"
#include "cluster/world/world.h"

namespace facemae {

/// Sums over the ranks of a node, over one rank of each node, and over all: the median latency of 8 B and 1 KiB, and the
/// bus bandwidth, 2 (n - 1) / n times bytes by time (NCCL's tests define it so), of 1, 25 and 100 MiB. Over all by the
/// way that gradients take, else from host memory over MPI. `fabric`: GB/s that a node's card claims, 0: unknown.
std::vector<Measured> measure_reductions(World& world, double seconds, double fabric);
/// Between nodes, one pair after the other: slow nodes and links are named.
std::vector<Measured> measure_pairs(World& world, double seconds, double fabric);
/// The vote of a step.
std::vector<Measured> measure_votes(World& world, double seconds);

/// What part of the rate that a card claims is expected of it.
inline constexpr double kExpectedOfFabric = 0.6;

}  // namespace facemae
