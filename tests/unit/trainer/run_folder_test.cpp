#include "trainer/run_folder.h"

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
  run.write_outcome(
      {.start = 1, .code = ExitCode::Stopped, .kind = "stopped", .reason = "notice", .step = 12});
  EXPECT_EQ(run.read_outcome()->code, ExitCode::Stopped);
  EXPECT_EQ(run.read_outcome()->step, 12u);
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

}  // namespace
}  // namespace facemae
