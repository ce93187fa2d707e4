#include "trainer/study/host_share.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "core/files/folder_lock.h"
#include "tests/temporary_folder.h"
#include "trainer/study/child.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(GpuOfRank, TakesTurns) {
  EXPECT_EQ(gpu_of_rank({}, 4, 0), "0");
  EXPECT_EQ(gpu_of_rank({}, 4, 5), "1");
  EXPECT_EQ(gpu_of_rank({}, 0, 1), "") << "no GPU, or no LibTorch that can use it";
}

TEST(GpuOfRank, IsOneOfThoseThatAreVisible) {
  EXPECT_EQ(gpu_of_rank("2,3", 2, 1), "3");
  EXPECT_EQ(gpu_of_rank("GPU-aa, GPU-bb", 2, 3), "GPU-bb");
  EXPECT_EQ(gpu_of_rank("1,-1,2", 1, 1), "1") << "what follows -1 is not counted";
  EXPECT_EQ(gpu_of_rank("", 0, 0), "");
}

TEST(CommandsOfAStudy, RunOnTheirShareOfTheHost) {
  const CoreMask own = own_cores();
  std::size_t last = 0;
  for (std::size_t core = 0; core < own.size(); ++core)
    if (own[core]) last = core;
  HostShare share{.cores = {}, .environment = {"CUDA_VISIBLE_DEVICES=GPU-bb"}};
  share.cores.set(last);
  const test::TemporaryFolder folder;
  const ChildCommand command{
      .words = {"sh", "-c", "grep Cpus_allowed_list /proc/self/status; echo gpu $CUDA_VISIBLE_DEVICES"},
      .folder = folder.path(),
      .log = folder / "log",
      .share = share};
  EXPECT_EQ(run_child(command), 0);
  EXPECT_EQ(read_plain_file(folder / "log"),
            "Cpus_allowed_list:\t" + std::to_string(last) + "\ngpu GPU-bb\n");
  EXPECT_EQ(own_cores(), own) << "we stay as we are";
}

TEST(CommandsOfAStudy, GetWhatReplacesOurEnvironmentOnce) {
  EXPECT_THAT(child_environment({"PATH=/bin", "CUDA_VISIBLE_DEVICES=0,1", "CUDA_VISIBLE=x"},
                                {"CUDA_VISIBLE_DEVICES=1"}),
              ElementsAre("PATH=/bin", "CUDA_VISIBLE=x", "CUDA_VISIBLE_DEVICES=1"));
}

/// A process that holds a lock on the cores given, until it is killed.
class LockHolder {
 public:
  LockHolder(const Path& folder, const CoreMask& cores) : process_(::fork()) {
    if (process_ != 0) return;
    if (!bind_to_cores(cores)) ::_exit(1);
    const FolderLock lock(folder, {.thing = "it", .work = "a study", .otherwise = "wait"});
    for (;;) ::pause();
  }
  ~LockHolder() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  LockHolder(const LockHolder&) = delete;
  LockHolder& operator=(const LockHolder&) = delete;
  pid_t process() const { return process_; }

 private:
  pid_t process_;
};

TEST(NeighboursOnOurCores, AreNamed) {
  const test::TemporaryFolder folder;
  const Path file = folder / "lock";
  EXPECT_EQ(neighbour_on_cores(file), "") << "nobody";
  {
    const LockHolder holder(folder.path(), own_cores());
    while (!FolderLock::owner_here(file)) ::usleep(1000);
    EXPECT_THAT(neighbour_on_cores(file), HasSubstr("process " + std::to_string(holder.process())));
    EXPECT_THAT(neighbour_on_cores(file), HasSubstr("a study"));
  }
  EXPECT_EQ(neighbour_on_cores(file), "") << "it was killed, and its file is still there";
}

TEST(NeighboursOnOurCores, AreNoneWhereCoresAreDivided) {
  const CoreMask own = own_cores();
  if (own.count() < 2) GTEST_SKIP() << "needs two cores";
  CoreMask first, rest = own;
  for (std::size_t core = 0; first.none(); ++core)
    if (own[core]) first.set(core);
  rest &= ~first;
  const test::TemporaryFolder folder;
  const LockHolder holder(folder.path(), first);
  while (!FolderLock::owner_here(folder / "lock")) ::usleep(1000);
  EXPECT_NE(neighbour_on_cores(folder / "lock"), "");
  ASSERT_TRUE(bind_to_cores(rest));
  EXPECT_EQ(neighbour_on_cores(folder / "lock"), "");
  ASSERT_TRUE(bind_to_cores(own));
}

}  // namespace
}  // namespace facemae
