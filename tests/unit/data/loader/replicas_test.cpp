#include "data/loader/replicas.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <set>

#include "core/error.h"
#include "core/files/folder_lock.h"
#include "data/store/checked_note.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Shards taken into use, which a test waits for.
class Taken {
 public:
  void add(std::size_t shard) {
    const std::scoped_lock lock(mutex_);
    shards_.push_back(shard);
    more_.notify_all();
  }
  std::vector<std::size_t> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(more_.wait_for(lock, seconds(30), [&] { return shards_.size() >= count; }));
    return shards_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<std::size_t> shards_;
};

class ReplicasTest : public ::testing::Test {
 protected:
  ReplicaPlan plan() const {
    return {
        .folder = folder_.path(), .files = {"a", "b", "c"}, .sequence = {1, 2, 0}, .look = milliseconds(1)};
  }
  void land(std::size_t shard) const {
    write_durably(real_files(), folder_.path() / plan().files[shard], std::string("shard"));
  }
  test::TemporaryFolder folder_;
  Taken taken_;
};

TEST_F(ReplicasTest, AreCopiedInTheirSequenceAndUsedAsTheyLand) {
  const Replicas replicas(
      plan(), [&](std::size_t shard, const auto&) { land(shard); },
      [&](std::size_t shard, const Path& file) {
        EXPECT_EQ(file, folder_.path() / plan().files[shard]);
        EXPECT_TRUE(std::filesystem::exists(file));
        taken_.add(shard);
      });
  EXPECT_EQ(taken_.wait_for(3), (std::vector<std::size_t>{1, 2, 0}));
}

TEST_F(ReplicasTest, OfAnotherProcessAreUsedWhenTheyAppear) {
  land(2);
  const Replicas replicas(plan(), nullptr, [&](std::size_t shard, const Path&) { taken_.add(shard); });
  EXPECT_EQ(taken_.wait_for(1), (std::vector<std::size_t>{2}));
  land(0);
  EXPECT_EQ(taken_.wait_for(2), (std::vector<std::size_t>{2, 0}));
}

TEST_F(ReplicasTest, LeaveADamagedShardToTheStoreAndCopyTheOthers) {
  const Replicas replicas(
      plan(),
      [&](std::size_t shard, const auto&) {
        if (shard == 2) throw DataError("it is damaged");
      },
      [&](std::size_t shard, const Path&) { taken_.add(shard); });
  EXPECT_EQ(taken_.wait_for(2), (std::vector<std::size_t>{1, 0}));
}

TEST_F(ReplicasTest, StopCopyingWhenTheDiskIsFull) {
  std::set<std::size_t> tried;
  {
    const Replicas replicas(
        plan(),
        [&](std::size_t shard, const auto&) {
          tried.insert(shard);
          if (shard == 2) throw FileError("no space left on device", ENOSPC);
        },
        [&](std::size_t shard, const Path&) { taken_.add(shard); });
    EXPECT_EQ(taken_.wait_for(1), (std::vector<std::size_t>{1}));
  }
  EXPECT_FALSE(tried.contains(0));
}

TEST_F(ReplicasTest, PassOverAShardThatCannotBeReadNow) {
  const Replicas replicas(
      plan(),
      [&](std::size_t shard, const auto&) {
        if (shard == 2) throw FileError("input/output error", EIO);
      },
      [&](std::size_t shard, const Path&) { taken_.add(shard); });
  EXPECT_EQ(taken_.wait_for(2), (std::vector<std::size_t>{1, 0}));
}

TEST_F(ReplicasTest, OfAnotherJobAreUsedAndTheRestIsCopiedWhenItEnds) {
  std::atomic<int> copied = 0;
  auto other = FolderLock::if_free(folder_.path(), {});
  ASSERT_TRUE(other);
  land(2);
  const Replicas replicas(
      plan(),
      [&](std::size_t shard, const auto&) {
        ++copied;
        land(shard);
      },
      [&](std::size_t shard, const Path&) { taken_.add(shard); });
  EXPECT_EQ(taken_.wait_for(1), (std::vector<std::size_t>{2}));
  EXPECT_EQ(copied, 0) << "the folder is another's";
  other.reset();
  EXPECT_EQ(taken_.wait_for(3), (std::vector<std::size_t>{2, 1, 0}));
  EXPECT_EQ(copied, 2);
}

TEST_F(ReplicasTest, AreNotUsedBeforeTheirBytesWereChecked) {
  auto careful = plan();
  careful.whole = is_checked;
  land(0);
  land(2);
  note_checked(real_files(), folder_.path() / plan().files[2]);
  const Replicas replicas(careful, nullptr, [&](std::size_t shard, const Path&) { taken_.add(shard); });
  EXPECT_EQ(taken_.wait_for(1), (std::vector<std::size_t>{2}));
  note_checked(real_files(), folder_.path() / plan().files[0]);
  EXPECT_EQ(taken_.wait_for(2), (std::vector<std::size_t>{2, 0}));
}

TEST_F(ReplicasTest, EndAtOnceInTheMiddleOfACopyAndWhileLooking) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::atomic<bool> began = false;
  {
    const Replicas copying(
        plan(),
        [&](std::size_t, const std::stop_token& stop) {
          std::unique_lock lock(mutex);
          began = true;
          began.notify_all();
          stopped.wait(lock, stop, [] { return false; });
        },
        [&](std::size_t shard, const Path&) { taken_.add(shard); });
    began.wait(false);
    auto patient = plan();
    patient.look = std::chrono::hours(1);
    const Replicas looking(patient, nullptr, [&](std::size_t shard, const Path&) { taken_.add(shard); });
  }
  EXPECT_TRUE(taken_.wait_for(0).empty());
}

}  // namespace
}  // namespace facemae
