#include "trainer/run/refused_start.h"

#include <gtest/gtest.h>

#include "core/files/folder_lock.h"
#include "core/log.h"
#include "tests/temporary_folder.h"
#include "trainer/files/run_folder.h"

namespace facemae {
namespace {

struct RefusedStart : testing::Test {
  RefusedStart() { spdlog::set_level(spdlog::level::off); }
  void note() { note_refused_start(folder.path(), ExitCode::PeerLost, "DeviceLost", "host n41 has no GPU"); }
  test::TemporaryFolder folder;
  RunFolder run{folder.path()};
};

TEST_F(RefusedStart, LeavesItsOutcomeAsANewerStartWhereASupervisorLooks) {
  const auto before = run.begin_start(3, false).start;
  note();
  const auto outcome = run.read_outcome();
  ASSERT_TRUE(outcome);
  EXPECT_GT(outcome->start, before);
  EXPECT_EQ(outcome->code, ExitCode::PeerLost);
  EXPECT_EQ(outcome->kind, "DeviceLost");
  EXPECT_EQ(outcome->reason, "host n41 has no GPU");
  EXPECT_EQ(idle_starts(run.outcomes()), 0) << "it is not the run's fault";
  note();
  EXPECT_EQ(run.read_outcome()->start, outcome->start + 1);
}

TEST_F(RefusedStart, MakesARunThatIsNotThereYet) {
  const RunFolder fresh(folder.path() / "deep" / "run");
  note_refused_start(fresh.path(), ExitCode::PeerLost, "DeviceLost", "host n41 has no GPU");
  ASSERT_TRUE(fresh.read_outcome());
  EXPECT_EQ(fresh.read_outcome()->reason, "host n41 has no GPU");
}

TEST_F(RefusedStart, LeavesARunAloneThatAnotherJobHolds) {
  const FolderLock other(folder.path(), LockConfig{.thing = "the run", .work = "training", .otherwise = ""});
  const auto start = run.begin_start(3, false).start;
  note();
  EXPECT_EQ(run.read_outcome()->start, start);
}

}  // namespace
}  // namespace facemae
