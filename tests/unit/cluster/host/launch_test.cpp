#include "cluster/host/launch.h"

#include <gtest/gtest.h>

#include <map>

namespace facemae {
namespace {

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
  EXPECT_NE(launch.reason.find("--mpi=pmix"), std::string::npos) << launch.reason;
}

TEST(Launch, TakesOneTaskOrABatchScriptAsAlone) {
  EXPECT_EQ(launch_with({{"SLURM_STEP_NUM_TASKS", "1"}}).kind, LaunchKind::Alone);
  EXPECT_EQ(launch_with({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}).kind, LaunchKind::Alone);
}

}  // namespace
}  // namespace facemae
