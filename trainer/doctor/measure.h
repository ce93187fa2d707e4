#pragma once
// `facemae doctor --measure`: how fast the network, the cores, the store and the disks are.
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/doctor/measured.h"
#include "cluster/world/world.h"

namespace facemae {

struct MeasureConfig {
  double seconds = 60;  ///< in all
  std::string run;      ///< folder for files that are written and removed; "": nothing is written
  std::string store;    ///< whose images are loaded; "": none
  // Rank 0's count:
  double fabric = 0;                   ///< GB/s that the nodes' cards claim; 0: unknown
  std::uint64_t state = 256ULL << 20;  ///< bytes of a checkpoint
};

/// All ranks, same order; the figures are rank 0's. Each measurement takes an eighth of the time at most. After notice
/// (core/signals.h) the rest is left out. Nothing that it writes stays behind. Throws AgreedError for a folder or store
/// that cannot be used, PeerLost.
std::vector<Measured> measure_machine(World& world, const MeasureConfig& config);

}  // namespace facemae
