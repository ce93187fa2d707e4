#pragma once
// How were we started? A pure function of the environment, so that a single process never calls MPI_Init.
#include <functional>
#include <optional>
#include <string>

namespace facemae {

enum class LaunchKind { Alone, Mpi, Refused };
struct Launch {
  LaunchKind kind = LaunchKind::Alone;
  std::string reason;  ///< what decided it; for Refused, what to do
};
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Mpi if and only if PMIX_RANK or OMPI_COMM_WORLD_RANK is set. Several srun tasks without either would be
/// independent runs on one folder: Refused. SLURM_PROCID says nothing (sbatch sets it, too).
Launch detect_launch(const Environment& environment);
Environment process_environment();

}  // namespace facemae
