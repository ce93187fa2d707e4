#pragma once
// How were we started? A pure function of the environment, so that a single process never calls MPI_Init.
#include <functional>
#include <optional>
#include <string>

namespace facemae {

enum class LaunchKind { Alone, Mpi, Refused };
struct Launch {
  LaunchKind kind = LaunchKind::Alone;
  std::string reason;         ///< what decided it; for Refused, what to do
  std::optional<int> said{};  ///< for Mpi: of how many processes the launcher speaks, where it does
};
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Mpi if and only if PMIX_RANK or OMPI_COMM_WORLD_RANK is set. Several processes of a launcher of another MPI, which
/// sets neither, would be independent runs on one folder: Refused; so are those of which each has an mpirun of its own
/// that starts one process. A launcher that starts one process alone says nothing. SLURM_PROCID without a step says
/// nothing either (sbatch sets it, too).
Launch detect_launch(const Environment& environment);
Environment process_environment();

/// Once MPI has started: why the launch is to be refused, "" when it is not. An mpirun of another Open MPI may leave
/// every process a world of its own.
std::string fault_of_world(const Launch& launch, int size, const std::string& mpi_version);

}  // namespace facemae
