#include "cluster/host/launch.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "core/log.h"

namespace facemae {
namespace {

/// What a launcher that Open MPI knows nothing of tells its processes.
struct OtherLauncher {
  const char* name;
  const char* rank;  ///< set in every process
  const char* size;  ///< may be missing
};
/// Several set PMI_RANK as well: those with variables of their own come first.
constexpr std::array<OtherLauncher, 9> kOtherLaunchers = {{
    {"jsrun of IBM", "JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE"},
    {"flux run", "FLUX_TASK_RANK", "FLUX_JOB_SIZE"},
    {"mpiexec of HPE Cray (PALS)", "PALS_RANKID", "PMI_SIZE"},
    {"aprun of Cray (ALPS)", "ALPS_APP_PE", "PMI_SIZE"},
    {"mpirun_rsh of MVAPICH", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"},
    {"mpirun of Platform MPI", "MPI_RANKID", "MPI_NRANKS"},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},
    {"mpiexec of MPICH, Intel MPI or MVAPICH", "PMI_RANK", "PMI_SIZE"},
    {"torchrun or another launcher of PyTorch", "LOCAL_RANK", "WORLD_SIZE"},
}};

std::optional<int> number(const Environment& environment, const char* name) {
  const auto text = environment(name);
  int value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) return {};
  return value;
}

struct Others {
  const OtherLauncher* launcher;
  int rank, size;
};
/// The launcher that says of how many processes this is one, if they are several.
std::optional<Others> others(const Environment& environment) {
  for (const auto& launcher : kOtherLaunchers) {
    const auto rank = number(environment, launcher.rank);
    if (!rank) continue;
    const int size = std::max(number(environment, launcher.size).value_or(1), *rank + 1);
    if (size > 1) return Others{&launcher, *rank, size};
  }
  return {};
}

std::string remedy(const Others& all) {
  return fmt::format(
      "Start them by Open MPI's mpirun (`mpirun --version` tells whose it is), inside the job: mpirun -n {0} --bind-to none "
      "facemae ...; Slurm's launcher does it with PMIx: srun --mpi=pmix -n {0} facemae ...",
      all.size);
}

}  // namespace

Launch detect_launch(const Environment& environment) {
  const auto started = others(environment);
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK"}) {
    if (!environment(name)) continue;
    const auto ours = number(environment, "OMPI_COMM_WORLD_SIZE");
    if (ours == 1 && started)
      return {
          LaunchKind::Refused,
          fmt::format(
              "{} started {} processes ({}={}), and in each of them Open MPI's mpirun started a single one "
              "(OMPI_COMM_WORLD_SIZE=1): they would be independent runs on the same folder. {}",
              started->launcher->name, started->size, started->launcher->rank, started->rank,
              remedy(*started))};
    return {LaunchKind::Mpi, std::string(name) + " is set",
            ours      ? ours
            : started ? std::optional(started->size)
                      : std::nullopt};
  }
  if (started)
    return {
        LaunchKind::Refused,
        fmt::format(
            "{} started {} processes ({}={}), but not as ranks of Open MPI, for which facemae is built "
            "(neither OMPI_COMM_WORLD_RANK nor PMIX_RANK is set): they would be independent runs on the same "
            "folder. {}",
            started->launcher->name, started->size, started->launcher->rank, started->rank,
            remedy(*started))};
  return {LaunchKind::Alone, "no launcher in the environment"};
}

std::string fault_of_world(const Launch& launch, int size, const std::string& mpi_version) {
  if (size != 1 || launch.said.value_or(1) == 1) return "";
  return fmt::format(
      "the launcher started {} processes ({}), but each has found an MPI world of its own: they would be independent runs "
      "on the same folder. The launcher is not that of {}, for which facemae is built: start it by the mpirun of that "
      "installation (`mpirun --version`), or build facemae with the MPI of the launcher",
      *launch.said, launch.reason, mpi_version);
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): read at start-up only
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

}  // namespace facemae
