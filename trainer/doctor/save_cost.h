#pragma once
// What a checkpoint costs, and what follows for the options of a run.
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/doctor/measured.h"
#include "cluster/world/world.h"
#include "core/files/files.h"

namespace facemae {

/// Saves a state of so many bytes by the saver of trainings (a part of it where `bytes_per_second`, what the disks of all
/// nodes wrote together, says that there is no time for all), into a folder that is removed: seconds, and what to give
/// --save-minutes and Slurm's --signal. All ranks; figures are rank 0's. Throws AgreedError, Unresumable.
std::vector<Measured> measure_saves(World& world, const Path& folder, std::uint64_t bytes,
                                    double bytes_per_second, double seconds);

/// What follows from saves that take `p99` seconds and stall training for `stall`. Pure.
struct SaveAdvice {
  double minutes = 0;  ///< between saves: Daly's interval for one failure a day, never less than twice a save
  double lead = 0;     ///< seconds of notice, without the step that is under way: 1.5 saves and a minute
};
SaveAdvice advice_on_saves(double p99, double stall);

}  // namespace facemae
