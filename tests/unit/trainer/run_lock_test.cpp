#include "trainer/run_lock.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

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

}  // namespace
}  // namespace facemae
