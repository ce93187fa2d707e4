#include "trainer/files/run_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/temporary_folder.h"

namespace facemae {
namespace {

class RunFolderTest : public testing::Test {
 protected:
  const test::TemporaryFolder temporary;
  const Path folder = temporary.path();
};

TEST_F(RunFolderTest, NumbersStartsFromZeroAndAssumesALostPeerUntilToldOtherwise) {
  RunFolder run(folder);
  EXPECT_EQ(run.begin_start(2, false).start, 0u);
  EXPECT_EQ(run.begin_start(2, false).start, 1u);
  const auto silent = run.read_outcome();
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->start, 1u);
  EXPECT_EQ(silent->code, ExitCode::PeerLost);
  run.write_outcome({.start = 1,
                     .code = ExitCode::Stopped,
                     .kind = "stopped",
                     .reason = "notice",
                     .step = 12,
                     .save_seconds = 2.5});
  EXPECT_EQ(run.read_outcome()->code, ExitCode::Stopped);
  EXPECT_EQ(run.read_outcome()->step, 12u);
  EXPECT_EQ(run.read_outcome()->save_seconds, 2.5);
  EXPECT_EQ(run.outcomes().back().save_seconds, 2.5) << "also of a start that others followed";
}

TEST_F(RunFolderTest, AFreshStartMovesEarlierCheckpointsAsideAndKeepsCounting) {
  RunFolder run(folder);
  run.begin_start(1, false);
  std::ofstream(folder / "checkpoints" / "something") << "old";
  EXPECT_EQ(run.begin_start(1, true).start, 1u);
  EXPECT_FALSE(std::filesystem::exists(folder / "checkpoints" / "something"));
  EXPECT_TRUE(std::filesystem::exists(folder / "checkpoints.before-00000001" / "something"));
  EXPECT_EQ(run.begin_start(1, false).start, 2u);
}

TEST_F(RunFolderTest, CutsMetricsBackToTheResumedStep) {
  RunFolder run(folder);
  run.begin_start(1, false);
  std::ofstream(run.metrics()) << "{\"step\":10,\"loss\":1}\n{\"step\":20,\"loss\":2}\n{\"step\":30,\"lo";
  run.cut_back(15);
  EXPECT_EQ(read_file(run.metrics()), "{\"step\":10,\"loss\":1}\n");
}

/// A start that did 5 steps and committed none, unless told otherwise.
Outcome ended(ExitCode code, std::uint64_t reached = 5, std::uint64_t committed = 0) {
  return {.code = code, .kind = "", .reason = "", .step = committed, .first = 0, .reached = reached};
}

TEST(IdleStarts, AreThoseInARowThatTrainedInVainByAFaultOfTheirOwn) {
  const auto crash = ended(ExitCode::Crash);
  EXPECT_EQ(idle_starts({}), 0);
  EXPECT_EQ(idle_starts({crash, crash, ended(ExitCode::BadData)}), 3);
  for (const auto code : {ExitCode::Done, ExitCode::Stopped, ExitCode::PeerLost})
    EXPECT_EQ(idle_starts({crash, ended(code), crash}), 1) << static_cast<int>(code);
  EXPECT_EQ(idle_starts({crash, ended(ExitCode::Crash, 5, 4), crash}), 1) << "one that committed";
  EXPECT_EQ(idle_starts({crash, ended(ExitCode::DoNotRequeue, 0), crash}), 2) << "one that was refused";
}

TEST_F(RunFolderTest, KeepsHowEveryStartEnded) {
  RunFolder run(folder);
  run.begin_start(1, false);
  run.write_outcome({.start = 0,
                     .code = ExitCode::Stopped,
                     .kind = "stopped",
                     .reason = "notice",
                     .step = 7,
                     .first = 2,
                     .reached = 9});
  run.begin_start(1, false);
  const auto outcomes = run.outcomes();
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].kind, "stopped");
  EXPECT_EQ(outcomes[0].step, 7u);
  EXPECT_EQ(outcomes[0].first, 2u);
  EXPECT_EQ(outcomes[0].reached, 9u);
  EXPECT_EQ(outcomes[1].code, ExitCode::PeerLost) << "no word of it yet";
}

}  // namespace
}  // namespace facemae
