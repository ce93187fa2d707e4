#pragma once
// How were we started? A pure function of the environment and of whose MPI we have loaded, so that a single process
// never calls MPI_Init.
#include <functional>
#include <optional>
#include <string>

#include "cluster/host/mpi_vendor.h"

namespace facemae {

enum class LaunchKind { Alone, Mpi, Refused };
struct Launch {
  LaunchKind kind = LaunchKind::Alone;
  std::string reason;         ///< what decided it; for Refused, what to do
  std::string launcher;       ///< its name; "" without one
  int rank = 0;               ///< as the launcher says
  std::optional<int> said{};  ///< of how many processes the launcher speaks, where it does
};
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Mpi when a launcher that hands ranks to a library of this vendor started us. Refused when a launcher started several
/// processes, but not for this vendor: they would be independent runs on one folder; so are those of which each has an
/// mpirun of its own that starts one process. Any other launcher that starts one process alone says nothing, and so does
/// SLURM_PROCID without a step (sbatch sets it, too).
Launch detect_launch(const Environment& environment, const MpiLibrary& library);
Environment process_environment();

/// What to say when MPI ends the process while it starts: most launchers of another installation are found so.
std::string words_of_failed_start(const Launch& launch, const MpiLibrary& library);

/// Once MPI has started: why the launch is to be refused, "" when it is not. A launcher of another installation may leave
/// every process a world of its own, or make several worlds of those that it started.
std::string fault_of_world(const Launch& launch, int size, const MpiLibrary& library);

}  // namespace facemae
