#include "cluster/host/launch.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <vector>

namespace facemae {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const MpiLibrary kOpenMpi{
    .vendor = MpiVendor::OpenMpi, .version = "Open MPI 4.1.4", .path = "/opt/ompi/lib/libmpi.so.40"};
const MpiLibrary kMpich{
    .vendor = MpiVendor::Mpich, .version = "MPICH 4.0.2", .path = "/opt/mpich/lib/libmpi.so.12"};

Launch launch_with(const std::map<std::string, std::string>& variables,
                   const MpiLibrary& library = kOpenMpi) {
  return detect_launch(
      [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      library);
}

TEST(Launch, IsAloneWithoutALauncher) { EXPECT_EQ(launch_with({}).kind, LaunchKind::Alone); }

TEST(Launch, IsMpiUnderMpirunAndUnderSrunWithPmix) {
  EXPECT_EQ(launch_with({{"OMPI_COMM_WORLD_RANK", "0"}}).kind, LaunchKind::Mpi);
  EXPECT_EQ(launch_with({{"PMIX_RANK", "3"}, {"SLURM_STEP_NUM_TASKS", "4"}}).kind, LaunchKind::Mpi);
}

TEST(Launch, RefusesSeveralTasksWithoutPmixAndNamesTheRemedy) {
  const auto launch = launch_with({{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "1"}});
  EXPECT_EQ(launch.kind, LaunchKind::Refused);
  EXPECT_THAT(launch.reason, AllOf(StartsWith("srun started 4 processes (SLURM_PROCID=1)"),
                                   HasSubstr("srun --mpi=pmix -n 4 facemae"), HasSubstr("mpirun -n 4 ")));
}

TEST(Launch, TakesOneTaskOrABatchScriptAsAlone) {
  EXPECT_EQ(launch_with({{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}}).kind, LaunchKind::Alone);
  EXPECT_EQ(launch_with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}).kind, LaunchKind::Alone);
}

struct Foreign {
  const char *rank, *size, *name;
};
constexpr Foreign kForeign[] = {
    {"PMI_RANK", "PMI_SIZE", "mpiexec of MPICH"},
    {"PALS_RANKID", "PMI_SIZE", "PALS"},
    {"FLUX_TASK_RANK", "FLUX_JOB_SIZE", "flux"},
    {"JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE", "jsrun"},
    {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MVAPICH"},
    {"ALPS_APP_PE", "PMI_SIZE", "aprun"},
    {"MPI_RANKID", "MPI_NRANKS", "Platform"},
    {"LOCAL_RANK", "WORLD_SIZE", "torchrun"},
};

TEST(Launch, RefusesEveryProcessOfALauncherThatOpenMpiDoesNotKnow) {
  for (const auto& [rank, size, name] : kForeign)
    for (const char* own : {"0", "1"}) {
      const auto launch = launch_with({{rank, own}, {size, "2"}});
      EXPECT_EQ(launch.kind, LaunchKind::Refused) << rank;
      EXPECT_THAT(launch.reason,
                  AllOf(HasSubstr(name), HasSubstr(rank), HasSubstr("Open MPI"), HasSubstr("-n 2 ")));
    }
  EXPECT_EQ(launch_with({{"PALS_RANKID", "3"}}).kind, LaunchKind::Refused) << "rank 3 is not alone";
}

TEST(Launch, TakesASingleProcessOfAnyLauncherAsAlone) {
  for (const auto& [rank, size, name] : kForeign) {
    EXPECT_EQ(launch_with({{rank, "0"}, {size, "1"}}).kind, LaunchKind::Alone) << name;
    EXPECT_EQ(launch_with({{size, "8"}}).kind, LaunchKind::Alone)
        << name << ": a size that somebody left behind";
  }
}

TEST(Launch, IsMpiWhereOpenMpiSpeaksOfSeveralWhateverElseIsSet) {
  for (const auto& [rank, size, name] : kForeign) {
    const auto launch =
        launch_with({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {rank, "1"}, {size, "2"}});
    EXPECT_EQ(launch.kind, LaunchKind::Mpi) << name << ": its daemons may have been started so";
    EXPECT_EQ(launch.said, 4);
    EXPECT_EQ(launch_with({{"PMIX_RANK", "1"}, {rank, "1"}, {size, "2"}}).said, 2) << name;
  }
}

TEST(Launch, RefusesWorldsOfOneInEachProcessOfAnotherLauncher) {
  const auto launch = launch_with(
      {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}, {"PMI_RANK", "1"}, {"PMI_SIZE", "4"}});
  EXPECT_EQ(launch.kind, LaunchKind::Refused);
  EXPECT_THAT(launch.reason,
              AllOf(HasSubstr("MPICH"), HasSubstr("OMPI_COMM_WORLD_SIZE=1"), HasSubstr("-n 4 ")));
}

TEST(Launch, OfAnotherInstallationIsRefusedOnceEachProcessIsAWorldOfItsOwn) {
  const auto launch = launch_with({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}});
  EXPECT_EQ(fault_of_world(launch, 4, kOpenMpi), "");
  EXPECT_THAT(fault_of_world(launch, 1, kOpenMpi),
              AllOf(StartsWith("mpirun of Open MPI started 4 processes"), HasSubstr("Open MPI 4.1.4"),
                    HasSubstr("/opt/ompi/lib/libmpi.so.40"), HasSubstr("mpirun -n 4 ")));
  EXPECT_THAT(fault_of_world(launch, 2, kOpenMpi), HasSubstr("a world of 2")) << "two worlds of two";
  EXPECT_EQ(fault_of_world(launch_with({{"PMIX_RANK", "0"}}), 1, kOpenMpi), "") << "it says no number";
  EXPECT_NE(
      fault_of_world(launch_with({{"PMIX_RANK", "0"}, {"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}}),
                     1, kOpenMpi),
      "");
}

TEST(Launch, ThatMpiItselfEndsIsToldWithBothNames) {
  const auto launch =
      launch_with({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"PMIX_RANK", "1"}}, kMpich);
  EXPECT_EQ(launch.kind, LaunchKind::Mpi) << "there are MPICHs with PMIx";
  EXPECT_THAT(words_of_failed_start(launch, kMpich),
              AllOf(StartsWith("MPICH 4.0.2 (/opt/mpich/lib/libmpi.so.12) could not start"),
                    HasSubstr("mpirun of Open MPI (PMIX_RANK is set)"), HasSubstr("mpiexec.hydra -n 4 ")));
}

/// The variables that a launcher of four leaves in its second process, and whose libraries learn from it.
struct Way {
  const char* name;
  std::map<std::string, std::string> variables;
  std::vector<MpiVendor> vendors;
};
using enum MpiVendor;
const Way kWays[] = {
    {"mpirun of Open MPI", {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}}, {OpenMpi}},
    {"srun --mpi=pmix",
     {{"PMIX_RANK", "1"}, {"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "4"}},
     {OpenMpi, Mpich, Intel, Mvapich, Cray}},
    {"srun --mpi=pmi2",
     {{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}, {"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "4"}},
     {OpenMpi, Mpich, Intel, Mvapich, Cray}},
    {"srun --mpi=cray_shasta",
     {{"PMI_CONTROL_PORT", "63"}, {"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "4"}},
     {Cray}},
    {"srun", {{"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "4"}}, {}},
    {"mpiexec of MPICH", {{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}}, {Mpich, Intel, Mvapich, Cray}},
    {"mpiexec of Intel MPI",
     {{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}, {"I_MPI_HYDRA_UUID", "d6"}},
     {Mpich, Intel, Mvapich, Cray}},
    {"mpiexec of MPICH or MVAPICH",
     {{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}, {"HYDI_CONTROL_FD", "7"}},
     {Mpich, Mvapich, Cray}},
    {"mpirun_rsh of MVAPICH", {{"MV2_COMM_WORLD_RANK", "1"}, {"MV2_COMM_WORLD_SIZE", "4"}}, {Mvapich}},
    {"PALS", {{"PALS_RANKID", "1"}, {"PMI_SIZE", "4"}}, {Mpich, Intel, Mvapich, Cray}},
    {"jsrun", {{"JSM_NAMESPACE_RANK", "1"}, {"JSM_NAMESPACE_SIZE", "4"}}, {}},
    {"torchrun", {{"LOCAL_RANK", "1"}, {"WORLD_SIZE", "4"}}, {}},
};

TEST(Launch, OfEveryLauncherGoesOnForItsOwnVendorsAndIsRefusedForAllOthers) {
  for (const auto& way : kWays)
    for (const auto vendor : {OpenMpi, Mpich, Intel, Mvapich, Cray}) {
      const bool fits = std::find(way.vendors.begin(), way.vendors.end(), vendor) != way.vendors.end();
      const MpiLibrary library{.vendor = vendor, .version = "the library", .path = "/its/path"};
      const auto launch = launch_with(way.variables, library);
      const std::string what = std::string(way.name) + " with " + name_of(vendor);
      ASSERT_EQ(launch.kind, fits ? LaunchKind::Mpi : LaunchKind::Refused) << what;
      EXPECT_EQ(launch.rank, 1) << what;
      EXPECT_EQ(launch.said, 4) << what;
      EXPECT_THAT(launch.launcher, HasSubstr(way.name)) << what;
      if (fits) continue;
      EXPECT_THAT(launch.reason, AllOf(HasSubstr(way.name), HasSubstr("the library (/its/path)"),
                                       HasSubstr("-n 4 facemae"), HasSubstr("build facemae with")))
          << what;
    }
}

TEST(Launch, OfMpichUnderOpenMpisMpirunIsLeftToMpiWherePmixMayServeBoth) {
  const std::map<std::string, std::string> of_open_mpi = {
      {"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"PMIX_RANK", "0"}};
  const auto launch = launch_with(of_open_mpi, kMpich);
  EXPECT_EQ(launch.kind, LaunchKind::Mpi);
  EXPECT_THAT(fault_of_world(launch, 1, kMpich),
              AllOf(StartsWith("mpirun of Open MPI started 2 processes"), HasSubstr("MPICH 4.0.2"),
                    HasSubstr("mpiexec.hydra -n 2 ")));
}

}  // namespace
}  // namespace facemae
