// Whose commits count: only by the notes of the starts, whatever a replaced start still does.
#include "checkpoint/history/fences.h"

#include "core/error.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;

Fence fence_of(std::uint32_t start, bool decided = true, std::optional<CheckpointId> resumed = {}) {
  return {.start = start,
          .world = 2,
          .host = "node7",
          .job = "123",
          .restart = "1",
          .pid = 4711,
          .time = "2026-01-31T12:00:00Z",
          .decided = decided,
          .resumed = resumed};
}

TEST(Fence, IsReadAsWrittenAndNoBitOfItMayChange) {
  const Fence fence = fence_of(3, true, CheckpointId{1200, 2});
  const std::string text = serialise(fence);
  EXPECT_EQ(parse_fence(text), fence);
  EXPECT_EQ(parse_fence(serialise(fence_of(0, false))), fence_of(0, false));
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_THROW(parse_fence(flipped), CheckpointError) << "bit " << bit;
  }
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_THROW(parse_fence(text.substr(0, length)), CheckpointError) << length;
}

TEST(Fence, NumbersAreClaimedOnceAndNeverBelowWhatIsAsked) {
  const TemporaryFolder folder;
  QuickFiles files;
  Fence first = fence_of(0, false), second = first, third = first;
  claim_start(files, folder.path(), 0, first);
  claim_start(files, folder.path(), 0, second);
  claim_start(files, folder.path(), 7, third);
  EXPECT_EQ(first.start, 0u);
  EXPECT_EQ(second.start, 1u);
  EXPECT_EQ(third.start, 7u);
  EXPECT_TRUE(superseded(folder.path(), 1));
  EXPECT_FALSE(superseded(folder.path(), 7));
  third.decided = true;
  third.resumed = CheckpointId{5, 1};
  decide_start(files, folder.path(), third);
  overwrite(folder.path() / "fence/00000001", "");
  const Fences fences = read_fences(folder.path());
  EXPECT_EQ(fences.size(), 3u);
  EXPECT_EQ(fences.at(7), third);
  EXPECT_FALSE(fences.at(1)) << "torn";
}

/// Asks about ids (step, start) with fences given and no commits to ask.
class LineageTest : public testing::Test {
 protected:
  void add(std::uint32_t start, std::optional<CheckpointId> resumed) {
    fences_[start] = fence_of(start, true, resumed);
  }
  bool counts(std::uint64_t step, std::uint32_t start) const {
    return Lineage(fences_,
                   [&](std::uint32_t of) -> std::optional<Lineage::Origin> {
                     const auto origin = origins_.find(of);
                     return origin == origins_.end() ? std::nullopt : std::optional(origin->second);
                   })
        .counts({step, start});
  }
  Fences fences_;
  std::map<std::uint32_t, Lineage::Origin> origins_;  ///< what commits tell
};

TEST_F(LineageTest, WithoutFencesEveryCommitCounts) {
  EXPECT_TRUE(counts(10, 0));
  EXPECT_TRUE(counts(10, 9));
}

TEST_F(LineageTest, AReplacedStartCountsUpToWhatItsSuccessorResumedFrom) {
  add(0, {});
  EXPECT_TRUE(counts(30, 0));
  add(1, CheckpointId{20, 0});
  EXPECT_TRUE(counts(20, 0));
  EXPECT_FALSE(counts(30, 0)) << "committed by a zombie, or left by falling back";
  EXPECT_TRUE(counts(99, 1));
}

TEST_F(LineageTest, ABranchThatWasLeftIsNotRevived) {
  add(0, {});
  add(1, CheckpointId{20, 0});
  add(2, CheckpointId{10, 0});  // those of start 1 were found bad
  EXPECT_TRUE(counts(10, 0));
  EXPECT_FALSE(counts(20, 0));
  EXPECT_FALSE(counts(25, 1));
  add(3, CheckpointId{15, 2});
  EXPECT_TRUE(counts(10, 0));
  EXPECT_TRUE(counts(15, 2));
  EXPECT_FALSE(counts(25, 1));
}

TEST_F(LineageTest, AStartThatHasNotDecidedChangesNothing) {
  add(0, {});
  fences_[1] = fence_of(1, false);
  EXPECT_TRUE(counts(30, 0));
  EXPECT_FALSE(counts(30, 1)) << "it must not commit before it has decided";
  fences_[2] = std::nullopt;  // torn, and nothing committed
  EXPECT_TRUE(counts(30, 0));
}

TEST_F(LineageTest, AStartAtZeroHidesWhatZombiesCommitLater) {
  add(0, {});
  add(1, {});
  EXPECT_FALSE(counts(10, 0));
}

TEST_F(LineageTest, ADamagedFenceIsMadeUpForByItsCommits) {
  add(0, {});
  fences_[1] = std::nullopt;
  origins_[1] = {.known = true, .resumed = CheckpointId{20, 0}};
  EXPECT_TRUE(counts(25, 1));
  EXPECT_TRUE(counts(20, 0));
  EXPECT_FALSE(counts(30, 0));
  origins_[1] = {.known = false, .resumed = {}};  // its first commits are gone
  EXPECT_TRUE(counts(25, 1));
  EXPECT_TRUE(counts(30, 0)) << "better a branch that was left than none";
}

TEST(Fence, UnderAnotherNumberIsNone) {
  const TemporaryFolder folder;
  QuickFiles files;
  Fence fence = fence_of(0, false);
  claim_start(files, folder.path(), 2, fence);
  decide_start(files, folder.path(), fence_of(2, true, CheckpointId{5, 1}));
  std::filesystem::copy_file(folder.path() / "fence/00000002", folder.path() / "fence/00000004");
  const Fences fences = read_fences(folder.path());
  EXPECT_TRUE(fences.at(2));
  EXPECT_FALSE(fences.at(4)) << "a copy says nothing of start 4";
}

}  // namespace
}  // namespace facemae
