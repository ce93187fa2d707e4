#include "core/files/folder_lock.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include "core/error.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using testing::HasSubstr;

const LockConfig kRun{
    .thing = "the run", .work = "training", .otherwise = "use another --run", .from_own_job = true};
const LockConfig kStore{.thing = "the store",
                        .work = "packing",
                        .otherwise = "use another --out",
                        .for_own_job = std::chrono::seconds(0)};

std::string refusal(const Path& folder, const LockConfig& config) {
  try {
    const FolderLock second(folder, config);
  } catch (const Unresumable& error) {
    return error.what();
  }
  return "";
}

struct FolderLocks : testing::Test {
  FolderLocks() { ::unsetenv("SLURM_JOB_ID"); }
  ~FolderLocks() override { ::unsetenv("SLURM_JOB_ID"); }
  const test::TemporaryFolder folder;
  const Path run = folder.path() / "run";
};

TEST_F(FolderLocks, ASecondJobIsRefusedAndToldTheOwner) {
  std::optional<FolderLock> first(std::in_place, run, kRun);
  const std::string told = refusal(run, kRun);
  EXPECT_THAT(told, HasSubstr("the run " + run.string() + " belongs to another job"));
  EXPECT_THAT(told, HasSubstr("process " + std::to_string(::getpid())));
  EXPECT_THAT(told, HasSubstr("training since 2"));
  EXPECT_TRUE(FolderLock::held(run / "lock"));
  first.reset();
  EXPECT_FALSE(FolderLock::held(run / "lock"));
  EXPECT_NO_THROW(FolderLock(run, kRun));
}

TEST_F(FolderLocks, ARequeuedSlurmJobTakesOverFromItsEarlierStart) {
  ::setenv("SLURM_JOB_ID", "41", 1);
  const FolderLock first(run, kRun);
  EXPECT_NO_THROW(FolderLock(run, kRun));
  EXPECT_THAT(refusal(run, kStore), HasSubstr("Slurm job 41")) << "only where that was said to be safe";
  ::setenv("SLURM_JOB_ID", "42", 1);
  EXPECT_THAT(refusal(run, kRun), HasSubstr("Slurm job 41"));
}

TEST_F(FolderLocks, WhereNothingMayBeTakenOverARequeuedJobWaitsForItsEarlierStart) {
  ::setenv("SLURM_JOB_ID", "41", 1);
  LockConfig patient = kStore;
  patient.for_own_job = std::chrono::seconds(60);
  std::optional<FolderLock> first(std::in_place, run, patient);
  std::atomic<bool> waits{false};
  std::jthread second([&] {
    waits = true;
    EXPECT_NO_THROW(FolderLock(run, patient));
  });
  while (!waits) std::this_thread::yield();
  first.reset();
}

TEST_F(FolderLocks, AnOwnerIsSeenByItsHeartbeatWhateverTheClocksSay) {
  using std::chrono::milliseconds;
  const Path lock = folder.path() / "lock";
  EXPECT_FALSE(FolderLock::beats(lock, milliseconds(2000))) << "there is none";
  write_whole(real_files(), lock, "");
  EXPECT_FALSE(FolderLock::beats(lock, milliseconds(200))) << "touched just now, by one that is dead";
  const auto long_ago = std::filesystem::last_write_time(lock) - std::chrono::hours(24);
  std::jthread owner([&](const std::stop_token& end) {
    for (int beat = 0; !end.stop_requested(); ++beat) {
      std::filesystem::last_write_time(lock, long_ago + std::chrono::seconds(beat));
      std::this_thread::sleep_for(milliseconds(50));
    }
  });
  EXPECT_TRUE(FolderLock::beats(lock, milliseconds(20000))) << "its clock is a day behind";
}

TEST_F(FolderLocks, WhoeverTookOverGetsTheLockOnceTheEarlierStartIsGone) {
  ::setenv("SLURM_JOB_ID", "41", 1);
  std::optional<FolderLock> first(std::in_place, run, kRun);
  const FolderLock second(run, kRun);
  first.reset();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!FolderLock::held(run / "lock") && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(FolderLock::held(run / "lock"));
  ::setenv("SLURM_JOB_ID", "42", 1);
  EXPECT_NE(refusal(run, kRun), "");
}

TEST_F(FolderLocks, NothingIsLeftOfALockNorOfAnEmptyFolderMadeForIt) {
  { const FolderLock lock(run, kStore); }
  EXPECT_FALSE(std::filesystem::exists(run));
  std::filesystem::create_directory(run);
  { const FolderLock lock(run, kStore); }
  EXPECT_TRUE(std::filesystem::is_empty(run)) << "a folder that was there stays";
  FolderLock::beside(run / "a.npy", kStore);
  EXPECT_TRUE(std::filesystem::is_empty(run));
}

TEST_F(FolderLocks, APlaceThatDoesNotExistYetIsLockedBesideIt) {
  const auto first = FolderLock::beside(run / "", kStore);
  EXPECT_FALSE(std::filesystem::exists(run));
  EXPECT_TRUE(std::filesystem::exists(run.string() + ".lock"));
  try {
    const auto second = FolderLock::beside(run, kStore);
    FAIL() << "two own one place";
  } catch (const Unresumable& error) {
    EXPECT_THAT(error.what(), HasSubstr("the store " + run.string() + " belongs"));
  }
  EXPECT_NO_THROW(FolderLock::beside(folder.path() / "other", kStore));
}

TEST_F(FolderLocks, WhoNeedNotWaitIsToldAtOnce) {
  auto first = FolderLock::if_free(run, kStore);
  ASSERT_TRUE(first);
  EXPECT_FALSE(FolderLock::if_free(run, kStore));
  first.reset();
  EXPECT_TRUE(FolderLock::if_free(run, kStore));
}

TEST_F(FolderLocks, ADeadOwnersIsTakenAndItsNameIsNotGivenForTheNewOne) {
  if (const pid_t child = ::fork(); child == 0) {
    auto lock = std::make_unique<FolderLock>(run, kStore);
    static_cast<void>(lock.release());  // killed: nothing is tidied
    ::_exit(0);
  } else {
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ASSERT_TRUE(std::filesystem::exists(run / "lock"));
    EXPECT_FALSE(FolderLock::held(run / "lock"));
    EXPECT_THAT(FolderLock::owner(run / "lock"), HasSubstr(std::to_string(child)));
  }
  const FolderLock next(run, kStore);
  EXPECT_THAT(refusal(run, kStore), HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(FolderLocks, OneAtATimeHoweverManyComeAndGo) {
  std::atomic<int> inside{0}, taken{0}, refused{0};
  {
    std::vector<std::jthread> crowd;
    crowd.reserve(4);
    for (int i = 0; i < 4; ++i)
      crowd.emplace_back([&] {
        for (int n = 0; n < 50; ++n) {
          const auto lock = FolderLock::if_free(run, kStore);
          if (!lock) {
            ++refused;
            continue;
          }
          EXPECT_EQ(++inside, 1);
          ++taken;
          --inside;
        }
      });
  }
  EXPECT_GT(taken, 0);
  EXPECT_EQ(taken + refused, 200);
  EXPECT_FALSE(std::filesystem::exists(run / "lock"));
}

TEST_F(FolderLocks, ALinkIsNotFollowed) {
  std::filesystem::create_directory(run);
  write_whole(real_files(), folder.path() / "other", "another's");
  std::filesystem::create_symlink(folder.path() / "other", run / "lock");
  EXPECT_THROW(FolderLock(run, kStore), FileError);
  EXPECT_EQ(read_file(folder.path() / "other"), "another's");
}

}  // namespace
}  // namespace facemae
