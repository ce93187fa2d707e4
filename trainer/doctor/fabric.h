#pragma once
// What the network cards of this node claim.
#include "core/files/files.h"

namespace facemae {

/// GB/s of the fastest active port of /sys/class/infiniband/*/ports/*/rate ("100 Gb/sec (4X EDR)"), below `sys`; 0 without.
double fabric_rate(const Path& sys = "/sys");

}  // namespace facemae
