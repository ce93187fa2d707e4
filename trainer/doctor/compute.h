#pragma once
// How fast ranks compute and load images, all at the same time, as in training. All ranks; figures are rank 0's.
#include <string>
#include <vector>

#include "cluster/doctor/measured.h"
#include "cluster/world/world.h"

namespace facemae {

/// Matrix products in float32 on the rank's cores, and in bfloat16 on its GPU where it has one. Ranks below three
/// quarters of the others are named, with the part of their cores' time that they got.
std::vector<Measured> measure_products(World& world, double seconds);
/// Images of the store per second, read and decoded by one thread of each rank, then by one on each core; `wanted`: those
/// that a rank trains on, 0 unknown, for the threads that it needs. Throws AgreedError for a store that cannot be read.
std::vector<Measured> measure_loading(World& world, const std::string& store, double wanted, double seconds);

}  // namespace facemae
