#include "trainer/run_lock.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <thread>

#include "core/error.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

TEST(RunLock, ASecondJobIsRefusedAndToldTheOwner) {
  const test::TemporaryFolder run;
  ::unsetenv("SLURM_JOB_ID");
  std::optional<RunLock> first(std::in_place, run.path());
  try {
    const RunLock second(run.path());
    FAIL() << "two jobs own one run";
  } catch (const Unresumable& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("process " + std::to_string(::getpid())));
  }
  first.reset();
  EXPECT_NO_THROW(RunLock(run.path()));
}

TEST(RunLock, ARequeuedSlurmJobTakesOverFromItsEarlierStart) {
  const test::TemporaryFolder run;
  ::setenv("SLURM_JOB_ID", "41", 1);
  const RunLock first(run.path());
  EXPECT_NO_THROW(RunLock(run.path()));
  ::setenv("SLURM_JOB_ID", "42", 1);
  EXPECT_THROW(RunLock(run.path()), Unresumable);
  ::unsetenv("SLURM_JOB_ID");
}

TEST(RunLock, AnOwnerIsSeenByItsHeartbeatWhateverTheClocksSay) {
  using std::chrono::milliseconds;
  const test::TemporaryFolder run;
  EXPECT_FALSE(RunLock::beats(run.path(), milliseconds(2000))) << "there is no heartbeat";
  const Path heartbeat = run.path() / "heartbeat";
  write_whole(real_files(), heartbeat, "");
  EXPECT_FALSE(RunLock::beats(run.path(), milliseconds(200))) << "touched just now, by one that is dead";
  const auto long_ago = std::filesystem::last_write_time(heartbeat) - std::chrono::hours(24);
  std::jthread owner([&](const std::stop_token& end) {
    for (int beat = 0; !end.stop_requested(); ++beat) {
      std::filesystem::last_write_time(heartbeat, long_ago + std::chrono::seconds(beat));
      std::this_thread::sleep_for(milliseconds(50));
    }
  });
  EXPECT_TRUE(RunLock::beats(run.path(), milliseconds(20000))) << "its clock is a day behind";
}

TEST(RunLock, WhoeverTookOverGetsTheLockOnceTheEarlierStartIsGone) {
  const test::TemporaryFolder run;
  ::setenv("SLURM_JOB_ID", "41", 1);
  std::optional<RunLock> first(std::in_place, run.path());
  const RunLock second(run.path());
  first.reset();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!RunLock::held(run.path()) && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(RunLock::held(run.path()));
  ::setenv("SLURM_JOB_ID", "42", 1);
  EXPECT_THROW(RunLock(run.path()), Unresumable);
  ::unsetenv("SLURM_JOB_ID");
}

}  // namespace
}  // namespace facemae
