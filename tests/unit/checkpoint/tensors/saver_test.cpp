// Saves beside training: what is saved is the state after the step, whatever changes meanwhile.
#include "checkpoint/tensors/saver.h"

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>

#include "checkpoint/history/discover.h"
#include "checkpoint/history/fences.h"
#include "tests/sanitizers.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;

/// A disk that is asked to wait: files are made only while it is open.
class SlowFiles final : public QuickFiles {
 public:
  void open(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  std::unique_ptr<OutputFile> create(const Path& path) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
    return QuickFiles::create(path);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
};

class SaverTest : public testing::Test {
 protected:
  Path run() const { return folder_.path(); }
  Path checkpoints() const { return run() / "checkpoints"; }
  /// Announced, read back and tidied.
  static void save_in_full(Saver& saver, const Snapshot& state) {
    ASSERT_TRUE(saver.save(state, 1));
    saver.settle();
  }
  void pass_a_step(Saver& saver) { saver.advance(saver.busy()); }
  Snapshot loaded() {
    CheckpointStore store(run(), control_, files_);
    Snapshot into = blank_like(small_state(1));
    EXPECT_TRUE(load_newest(store, into));
    return into;
  }

  const TemporaryFolder folder_;
  AloneControl control_;
  SlowFiles files_;
  Quiet quiet_;
};

TEST_F(SaverTest, GoesOnBesideTrainingAndHoldsTheStateOfItsStep) {
  Snapshot live = small_state(10);
  live.replicated[0].steady = true;   // a weight
  live.replicated[1].steady = false;  // a statistic of the forward pass
  Saver saver(checkpoints(), control_, files_);
  files_.open(false);
  ASSERT_TRUE(saver.begin(live, 1));
  live.replicated[1].value.fill_(-1);  // the next forward pass
  saver.wait_copied();
  live.replicated[0].value.fill_(-1);  // the optimizer
  EXPECT_TRUE(saver.busy());
  pass_a_step(saver);
  EXPECT_FALSE(saver.begin(small_state(11), 1)) << "one save at a time";
  EXPECT_FALSE(saver.last_committed());
  files_.open(true);
  while (!saver.last_committed()) pass_a_step(saver);
  EXPECT_EQ(saver.last_committed(), (CheckpointId{10, 1}));
  saver.settle();
  expect_equal(loaded(), small_state(10));
  EXPECT_TRUE(is_verified(checkpoints() / "s000000010.a01"));
}

TEST_F(SaverTest, ALastSaveWaitsForTheOneUnderWay) {
  Saver saver(checkpoints(), control_, files_);
  ASSERT_TRUE(saver.begin(small_state(10), 1));
  EXPECT_TRUE(saver.save(small_state(20), 1));
  EXPECT_EQ(saver.figures().committed, 2u);
  expect_equal(loaded(), small_state(20));
  ASSERT_TRUE(saver.save(small_state(20), 1)) << "the same step again";
  EXPECT_EQ(saver.figures().committed, 2u);
}

std::int64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  return 0;
}

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST_F(SaverTest, ManySavesKeepMemoryAndDescriptorsFlat) {
  const char* wanted = std::getenv("FACEMAE_SAVES");
  const std::uint64_t saves = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 100;
  Saver saver(checkpoints(), control_, files_);
  Snapshot state = small_state(1);
  state.replicated.push_back({"model.large", torch::zeros({1 << 18}, torch::kFloat32)});
  std::int64_t memory = 0;
  std::ptrdiff_t descriptors = 0;
  for (std::uint64_t step = 1; step <= saves; ++step) {
    state.step = step;
    save_in_full(saver, state);
    if (step != saves / 10) continue;
    memory = resident_kib();
    descriptors = open_descriptors();
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  if (!test::kAddressSanitizer) {
    EXPECT_LT(resident_kib(), memory + 4096) << "KiB, with one buffer of 1 MiB";
  }
}

/// Flips a bit of every shard once its name is final: what bad storage does after it said that all is well.
class RottenFiles final : public QuickFiles {
 public:
  bool rotten = true, truncates = false;
  void rename(const Path& from, const Path& to) override {
    QuickFiles::rename(from, to);
    if (!rotten || to.filename() != "COMMIT") return;
    const Path shard = to.parent_path() / "r00000.safetensors";
    std::string bytes = read_file(shard);
    if (truncates)
      bytes.pop_back();
    else
      bytes.back() = static_cast<char>(bytes.back() ^ 1);
    overwrite(shard, bytes);
  }
};

TEST_F(SaverTest, DamageOnTheStorageIsFoundAfterTheCommitAndAnotherSaveIsAskedFor) {
  RottenFiles files;
  files.rotten = false;
  Saver saver(checkpoints(), control_, files);
  save_in_full(saver, small_state(1));
  files.rotten = true;
  ASSERT_TRUE(saver.save(small_state(2), 1)) << "announced: the storage had said that all is well";
  saver.settle();
  EXPECT_TRUE(saver.wants_another());
  files.truncates = true;
  ASSERT_TRUE(saver.save(small_state(2), 1)) << "the same step again";
  saver.settle();
  EXPECT_TRUE(saver.wants_another()) << "a file that lost its end is damaged, too";
  EXPECT_EQ(saver.last_committed(), (CheckpointId{1, 1}));
  ASSERT_EQ(list_checkpoints(checkpoints()).size(), 1u) << "the damaged one is gone, the one before is there";
  files.rotten = false;
  ASSERT_TRUE(saver.save(small_state(2), 1)) << "the same step again";
  saver.settle();
  EXPECT_FALSE(saver.wants_another());
  EXPECT_TRUE(is_verified(checkpoints() / "s000000002.a01"));
  expect_equal(loaded(), small_state(2));
}

TEST_F(SaverTest, StorageThatDamagesEverythingEndsTheRunWithWhatWasThereBefore) {
  RottenFiles files;
  files.rotten = false;
  Saver saver(checkpoints(), control_, files);
  save_in_full(saver, small_state(1));
  files.rotten = true;
  for (const std::uint64_t step : {2, 3}) {
    save_in_full(saver, small_state(step));
  }
  ASSERT_TRUE(saver.save(small_state(4), 1));
  EXPECT_THROW(saver.settle(), Unresumable);
  expect_equal(loaded(), small_state(1));
}

TEST_F(SaverTest, AFirstCheckpointThatWasDamagedIsHistory) {
  RottenFiles files;
  Saver saver(checkpoints(), control_, files);
  ASSERT_TRUE(saver.save(small_state(1), 1));
  saver.settle();
  EXPECT_TRUE(saver.wants_another());
  EXPECT_TRUE(list_checkpoints(checkpoints()).empty());
  CheckpointStore store(run(), control_, files_);
  EXPECT_THROW(store.newest(), Unresumable) << "killed here, the run would start over without a word";
}

TEST_F(SaverTest, SaysAgainAndAgainThatItWaits) {
  Saver saver(checkpoints(), control_, files_);
  int said = 0;
  files_.open(false);
  saver.while_waiting = [&] {
    if (++said == 3) files_.open(true);
  };
  EXPECT_TRUE(saver.save(small_state(1), 1));
  EXPECT_GE(said, 3);
}

/// Another start claims the run at the moment of the commit.
class TakenOverFiles final : public QuickFiles {
 public:
  void rename(const Path& from, const Path& to) override {
    QuickFiles::rename(from, to);
    if (to.filename() != "COMMIT") return;
    Fence other;
    claim_start(*this, to.parent_path().parent_path(), 2, other);
  }
};

TEST_F(SaverTest, AStartThatIsReplacedWhileItCommitsAnnouncesNothing) {
  TakenOverFiles files;
  Saver saver(checkpoints(), control_, files);
  EXPECT_THROW(saver.save(small_state(1), 1), Unresumable);
  EXPECT_FALSE(saver.last_committed());
  EXPECT_TRUE(std::filesystem::exists(checkpoints() / "s000000001.a01/COMMIT"))
      << "the later start may have resumed from it";
}

TEST_F(SaverTest, AReplacedStartLeavesWhatItFindsDamaged) {
  RottenFiles files;
  Saver saver(checkpoints(), control_, files);
  ASSERT_TRUE(saver.begin(small_state(1), 1));
  while (!saver.last_committed()) pass_a_step(saver);
  Fence other;
  claim_start(files, checkpoints(), 2, other);
  saver.settle();
  EXPECT_TRUE(std::filesystem::exists(checkpoints() / "s000000001.a01/COMMIT"));
}

TEST_F(SaverTest, AReplacedStartNeitherCommitsNorDeletes) {
  Fence mine, other;
  claim_start(files_, checkpoints(), 1, mine);
  Saver saver(checkpoints(), control_, files_);
  saver.keep({.last = 2});
  for (const std::uint64_t step : {1, 2, 3}) {
    save_in_full(saver, small_state(step));
  }
  const auto before = list_checkpoints(checkpoints()).size();
  claim_start(files_, checkpoints(), 1, other);
  EXPECT_THROW(saver.save(small_state(4), 1), Unresumable);
  EXPECT_FALSE(std::filesystem::exists(checkpoints() / "s000000004.a01/COMMIT"));
  EXPECT_EQ(list_checkpoints(checkpoints()).size(), before + 1)
      << "its unfinished folder is left to the new owner";
}

}  // namespace
}  // namespace facemae
