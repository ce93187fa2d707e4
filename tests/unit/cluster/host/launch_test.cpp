#include "cluster/host/launch.h"

#include <gmock/gmock.h>

#include <map>

namespace facemae {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

Launch launch_with(const std::map<std::string, std::string>& variables) {
  return detect_launch([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
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

TEST(Launch, OfAnotherOpenMpiIsRefusedOnceEachProcessIsAWorldOfItsOwn) {
  const auto launch = launch_with({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}});
  EXPECT_EQ(fault_of_world(launch, 4, "Open MPI 4.1.4"), "");
  EXPECT_THAT(fault_of_world(launch, 1, "Open MPI 4.1.4"),
              AllOf(HasSubstr("started 4 processes"), HasSubstr("Open MPI 4.1.4")));
  EXPECT_EQ(fault_of_world(launch_with({{"PMIX_RANK", "0"}}), 1, "Open MPI 5.0.1"), "")
      << "it says no number";
  EXPECT_NE(
      fault_of_world(launch_with({{"PMIX_RANK", "0"}, {"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}}),
                     1, "Open MPI 5.0.1"),
      "");
}

}  // namespace
}  // namespace facemae
