#include "cluster/host/launch.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "core/log.h"

namespace facemae {
namespace {

constexpr unsigned of(MpiVendor vendor) { return 1U << static_cast<unsigned>(vendor); }
/// Those that speak PMI-1 or PMI-2, as MPICH does. Of a library that nobody knows, MPI itself will tell.
constexpr unsigned kPmi = of(MpiVendor::Mpich) | of(MpiVendor::Intel) | of(MpiVendor::Mvapich) |
                          of(MpiVendor::Cray) | of(MpiVendor::Unknown);
/// MPICH can be built on PMIx, and Ubuntu's is; Open MPI 4 on Slurm's PMI-2. MPI itself will tell.
constexpr unsigned kAny = of(MpiVendor::OpenMpi) | kPmi;

/// What a launcher tells its processes.
struct Launcher {
  const char* name;
  const char* rank;          ///< set in every process
  const char* size;          ///< may be missing
  unsigned vendors;          ///< whose libraries learn their rank from it
  const char* with = "";     ///< a variable that must be set beside these, "" for none
  const char* without = "";  ///< one that must not be set
};
/// Several set PMI_RANK as well: those with variables of their own come first.
constexpr std::array<Launcher, 15> kLaunchers = {{
    {"mpirun of Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", of(MpiVendor::OpenMpi)},
    {"srun --mpi=pmix", "PMIX_RANK", "SLURM_STEP_NUM_TASKS", kAny, "SLURM_PROCID"},
    {"a launcher with PMIx", "PMIX_RANK", "", kAny},
    {"jsrun of IBM", "JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE", 0},
    {"flux run", "FLUX_TASK_RANK", "FLUX_JOB_SIZE", kPmi, "PMI_FD"},
    {"flux run", "FLUX_TASK_RANK", "FLUX_JOB_SIZE", 0},
    {"mpiexec of HPE Cray (PALS)", "PALS_RANKID", "PMI_SIZE", kPmi},
    {"aprun of Cray (ALPS)", "ALPS_APP_PE", "PMI_SIZE", of(MpiVendor::Cray)},
    {"mpirun_rsh of MVAPICH", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", of(MpiVendor::Mvapich)},
    {"mpirun of Platform MPI", "MPI_RANKID", "MPI_NRANKS", 0},
    {"srun --mpi=cray_shasta", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", of(MpiVendor::Cray),
     "PMI_CONTROL_PORT"},
    {"srun --mpi=pmi2", "PMI_RANK", "PMI_SIZE", kAny, "SLURM_STEP_NUM_TASKS"},
    {"mpiexec of Intel MPI", "PMI_RANK", "PMI_SIZE", kPmi, "I_MPI_HYDRA_UUID"},
    // Of MPICH 4.0 Intel MPI learns no addresses, and ends in MPI_Init.
    {"mpiexec of MPICH or MVAPICH", "PMI_RANK", "PMI_SIZE", kPmi & ~of(MpiVendor::Intel), "HYDI_CONTROL_FD"},
    {"mpiexec of MPICH, Intel MPI or MVAPICH", "PMI_RANK", "PMI_SIZE", kPmi, "", "HYDI_CONTROL_FD"},
}};
/// Those that no MPI learns from. After all others, which may set their variables, too.
constexpr std::array<Launcher, 2> kSilent = {{
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", 0},
    {"torchrun or another launcher of PyTorch", "LOCAL_RANK", "WORLD_SIZE", 0},
}};

std::optional<int> number(const Environment& environment, const char* name) {
  const auto text = environment(name);
  int value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) return {};
  return value;
}

struct Started {
  const Launcher* launcher;
  int rank;
  std::optional<int> said;
  int size() const { return std::max(said.value_or(1), rank + 1); }
};

/// All launchers that have left their variables, in the order of the tables.
std::vector<Started> started_by(const Environment& environment) {
  std::vector<Started> all;
  const auto look = [&](const Launcher& launcher) {
    const auto rank = number(environment, launcher.rank);
    if (!rank || (*launcher.with != '\0' && !environment(launcher.with)) ||
        (*launcher.without != '\0' && environment(launcher.without)))
      return;
    all.push_back({&launcher, *rank, number(environment, launcher.size)});
  };
  for (const auto& launcher : kLaunchers) look(launcher);
  for (const auto& launcher : kSilent) look(launcher);
  return all;
}

bool fits(const Started& started, const MpiLibrary& library) {
  return (started.launcher->vendors & of(library.vendor)) != 0;
}

std::string library_text(const MpiLibrary& library) {
  return library.version + (library.path.empty() ? "" : " (" + library.path + ")");
}

std::string remedy(const MpiLibrary& library, int size) {
  return fmt::format(
      "Start them by that MPI's own launcher, inside the job: {}; or build facemae with the MPI of this launcher",
      launch_lines(library.vendor, size));
}

Launch refused(const Started& started, const MpiLibrary& library, const std::string& how) {
  return {.kind = LaunchKind::Refused,
          .reason = fmt::format(
              "{} started {} processes ({}={}), {}: they would be independent runs on the same folder. {}",
              started.launcher->name, started.size(), started.launcher->rank, started.rank, how,
              remedy(library, started.size())),
          .launcher = started.launcher->name,
          .rank = started.rank,
          .said = started.size()};
}

}  // namespace

Launch detect_launch(const Environment& environment, const MpiLibrary& library) {
  const auto all = started_by(environment);
  const auto ours = std::find_if(all.begin(), all.end(), [&](const auto& one) { return fits(one, library); });
  // Another one than ours that started several, ours being one of them or started by one of them.
  const auto several = std::find_if(all.begin(), all.end(), [&](const auto& one) {
    return one.size() > 1 && one.launcher != (ours == all.end() ? nullptr : ours->launcher);
  });
  if (ours == all.end()) {
    if (several == all.end()) return {.reason = "no launcher in the environment", .launcher = {}};
    return refused(*several, library,
                   "but not as ranks of " + library_text(library) + ", with which facemae is built");
  }
  const bool of_open_mpi = ours->launcher->vendors == of(MpiVendor::OpenMpi);
  if (of_open_mpi && ours->said == 1 && several != all.end())
    return refused(*several, library,
                   fmt::format("and in each of them {} started a single one ({}=1)", ours->launcher->name,
                               ours->launcher->size));
  // One process of a launcher that Open MPI does not know needs no MPI.
  const bool alone = (ours->launcher->vendors & of(MpiVendor::OpenMpi)) == 0 && ours->size() == 1;
  const Started& speaks = ours->said || several == all.end() ? *ours : *several;
  return {.kind = alone ? LaunchKind::Alone : LaunchKind::Mpi,
          .reason = std::string(ours->launcher->rank) + " is set",
          .launcher = speaks.launcher->name,
          .rank = ours->rank,
          .said = ours->said || several == all.end() ? ours->said : several->size()};
}

std::string words_of_failed_start(const Launch& launch, const MpiLibrary& library) {
  return fmt::format(
      "{} could not start as rank {} of {} ({}). Where the launcher is of another installation than that library: {}",
      library_text(library), launch.rank, launch.launcher, launch.reason,
      remedy(library, launch.said.value_or(launch.rank + 1)));
}

std::string fault_of_world(const Launch& launch, int size, const MpiLibrary& library) {
  const int said = launch.said.value_or(size);
  if (size >= said) return "";
  return fmt::format(
      "{} started {} processes ({}), but {}: they would be independent runs on the same folder. The launcher is of another "
      "installation than {}, with which facemae is built. {}",
      launch.launcher, said, launch.reason,
      size == 1 ? "each has found an MPI world of its own" : fmt::format("MPI made a world of {}", size),
      library_text(library), remedy(library, said));
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): read at start-up only
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

}  // namespace facemae
