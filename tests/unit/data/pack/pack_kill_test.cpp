// Packs in processes of their own, one a rank, and kills them at random moments.
// FACEMAE_KILLS says how often.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "data/pack/pack.h"
#include "tests/unit/data/archives/fake_archives.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test_images::contents;
using test_images::TemporaryFolder;
using Clock = std::chrono::steady_clock;

int kills_wanted() {
  const char* text = std::getenv("FACEMAE_KILLS");
  return text == nullptr ? 3 : std::atoi(text);
}

/// Where the processes of a pack meet between phases.
class Barrier {
 public:
  explicit Barrier(int ranks)
      : barrier_(static_cast<pthread_barrier_t*>(mmap(
            nullptr, sizeof(pthread_barrier_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(barrier_, &attributes, static_cast<unsigned>(ranks));
    pthread_barrierattr_destroy(&attributes);
  }
  ~Barrier() { munmap(barrier_, sizeof(pthread_barrier_t)); }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;
  void wait() { pthread_barrier_wait(barrier_); }

 private:
  pthread_barrier_t* barrier_;
};

[[noreturn]] void be_rank(const ImageSource& source, const PackConfig& config, int rank, int ranks,
                          Barrier& barrier) {
  try {
    Packing packing(source, config, real_files(), rank, ranks);
    for (const auto& phase : packing.phases()) {
      phase();
      barrier.wait();
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", rank, error.what());
    _exit(1);
  }
  _exit(0);
}

std::vector<pid_t> start(const ImageSource& source, const PackConfig& config, int ranks, Barrier& barrier) {
  std::vector<pid_t> processes;
  for (int rank = 0; rank < ranks; ++rank) {
    const pid_t process = fork();
    if (process == 0) be_rank(source, config, rank, ranks, barrier);
    processes.push_back(process);
  }
  return processes;
}

bool ended_well(pid_t process) {
  int status = 0;
  return waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool run_to_the_end(const ImageSource& source, const PackConfig& config, int ranks) {
  Barrier barrier(ranks);
  bool well = true;
  for (const pid_t process : start(source, config, ranks, barrier)) well = ended_well(process) && well;
  return well;
}

/// Kills one rank after a while, and the others, as a launcher does, a little later.
void run_and_kill(const ImageSource& source, const PackConfig& config, int ranks, Clock::duration after,
                  Draws& draws) {
  Barrier barrier(ranks);
  const auto processes = start(source, config, ranks, barrier);
  std::this_thread::sleep_for(after);
  kill(processes[draws.below(processes.size())], SIGKILL);
  std::this_thread::sleep_for(std::chrono::microseconds(draws.below(20000)));
  for (const pid_t process : processes) kill(process, SIGKILL);
  for (const pid_t process : processes) waitpid(process, nullptr, 0);
}

void expect_same_store_after_kills(const ImageSource& source, const Path& folder, int ranks) {
  auto config = test_images::quiet(folder / "undisturbed");
  config.max_reject_fraction = 0.1;
  config.spill_run_bytes = 30000;
  config.threads = 2;
  const auto began = Clock::now();
  ASSERT_TRUE(run_to_the_end(source, config, ranks));
  auto window = Clock::now() - began;  // kills fall into it
  const auto expected = contents(config.out);
  ASSERT_TRUE(expected.contains("manifest.h5"));
  config.out = folder / "killed";
  Draws draws(static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()));
  int unfinished = 0, gone_on = 0;
  for (int killed = 0; killed < kills_wanted(); ++killed) {
    fs::remove_all(config.out);
    // Every other time the second start is killed as well.
    for (int times = 0; times <= killed % 2; ++times)
      run_and_kill(source, config, ranks,
                   std::chrono::duration_cast<Clock::duration>(window * draws.uniform()), draws);
    const bool in_time = !fs::exists(config.out / "manifest.h5");
    unfinished += in_time ? 1 : 0;
    if (!in_time) window = window * 4 / 5;  // a busy machine made the first run slow
    const bool notes = fs::exists(config.out / "packing/shard-00000.json") ||
                       fs::exists(config.out / "packing/spill-00000.json");
    gone_on += notes ? 1 : 0;
    ASSERT_TRUE(run_to_the_end(source, config, 1 + killed % 3)) << "after kill " << killed;
    ASSERT_EQ(contents(config.out), expected) << "after kill " << killed;
  }
  std::printf("%d kills: %d before the end, %d of those with something to go on from\n", kills_wanted(),
              unfinished, gone_on);
  if (kills_wanted() >= 20) {
    EXPECT_GT(unfinished, kills_wanted() / 3) << "the kills came too late to prove anything";
    EXPECT_GT(gone_on, kills_wanted() / 5);
  }
}

class KilledPack : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    test_images::put_faces(here_ / "faces", 6, 40);
    test_images::put(here_ / "faces/id-2/broken.jpg", bytes_of("no image"));
    faces_ = folder_source({here_ / "faces"});
  }
  TemporaryFolder here_;
  std::unique_ptr<ImageSource> faces_;
};

TEST_P(KilledPack, OfAFolderGoesOnToTheSameStore) {
  expect_same_store_after_kills(*faces_, here_ / "stores", GetParam());
}

TEST_P(KilledPack, OfArchivesGoesOnToTheSameStore) {
  expect_same_store_after_kills(fake_archives::Archives(*faces_, 11), here_ / "stores", GetParam());
}

INSTANTIATE_TEST_SUITE_P(Ranks, KilledPack, testing::Values(1, 2),
                         [](const auto& ranks) { return std::to_string(ranks.param); });

}  // namespace
}  // namespace facemae
