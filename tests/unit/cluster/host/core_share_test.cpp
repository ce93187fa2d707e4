#include "cluster/host/core_share.h"

#include <gtest/gtest.h>

#include <vector>

namespace facemae {
namespace {

CoreMask cores(std::initializer_list<int> numbers) {
  CoreMask mask;
  for (const int core : numbers) mask.set(static_cast<std::size_t>(core));
  return mask;
}

TEST(CoreShare, OfDisjointMasksIsEachRanksOwn) {
  const std::vector<CoreMask> masks = {cores({0, 1, 2, 3, 4, 5, 6, 7}), cores({8, 9, 10, 11})};
  EXPECT_EQ(core_share(masks, 0).kind, CoreShare::Kind::Own);
  EXPECT_EQ(core_share(masks, 0).cores, 8) << "srun --cpus-per-task=8 gave it eight";
  EXPECT_EQ(core_share(masks, 1).cores, 4);
}

TEST(CoreShare, OfEqualMasksIsDivided) {
  const std::vector<CoreMask> masks(3, cores({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(core_share(masks, 1).kind, CoreShare::Kind::Shared);
  EXPECT_EQ(core_share(masks, 1).cores, 2) << "eight over three";
  const std::vector<CoreMask> whole(3, cores({5, 6, 7}));
  EXPECT_EQ(core_share(whole, 2).cores, 1) << "three thirds are one, whatever the rounding";
}

TEST(CoreShare, OfOverlappingMasksCountsWhatIsShared) {
  const std::vector<CoreMask> masks = {cores({0, 1, 2, 3}), cores({2, 3})};
  EXPECT_EQ(core_share(masks, 0).kind, CoreShare::Kind::Overlapping);
  EXPECT_EQ(core_share(masks, 0).cores, 3) << "two of its own and two halves";
  EXPECT_EQ(core_share(masks, 1).cores, 1);
}

TEST(CoreShare, IsNeverBelowOne) {
  const std::vector<CoreMask> masks(4, cores({0}));
  EXPECT_EQ(core_share(masks, 3).cores, 1);
  EXPECT_EQ(core_share(std::vector<CoreMask>{CoreMask()}, 0).cores, 1) << "a mask that could not be read";
}

TEST(CoresOfCommands, AreInOnePieceAndNobodyElses) {
  const std::vector<CoreMask> equal(3, cores({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(divided_cores(equal, 0), cores({0, 1}));
  EXPECT_EQ(divided_cores(equal, 1), cores({2, 3}));
  EXPECT_EQ(divided_cores(equal, 2), cores({4, 5}));
  const std::vector<CoreMask> bound = {cores({0, 1}), cores({4, 5})};
  EXPECT_EQ(divided_cores(bound, 1), cores({4, 5})) << "what a launcher gave a rank alone stays its own";
  const std::vector<CoreMask> overlapping = {cores({0, 1, 2, 3}), cores({2, 3})};
  EXPECT_EQ(divided_cores(overlapping, 0), cores({0, 1, 2}));
  EXPECT_EQ(divided_cores(overlapping, 1), cores({3}));
}

TEST(CoresOfCommands, LeaveTheOnlyOneOfAnother) {
  const std::vector<CoreMask> masks = {cores({0, 1}), cores({0})};
  EXPECT_EQ(divided_cores(masks, 0), cores({1}));
  EXPECT_EQ(divided_cores(masks, 1), cores({0}));
}

TEST(CoresOfCommands, AreAllWhereNoneIsLeft) {
  const std::vector<CoreMask> masks(3, cores({6, 7}));
  EXPECT_EQ(divided_cores(masks, 1), cores({7}));
  EXPECT_EQ(divided_cores(masks, 2), cores({6, 7}));
  EXPECT_EQ(divided_cores(std::vector<CoreMask>{CoreMask()}, 0), CoreMask())
      << "a mask that could not be read";
}

}  // namespace
}  // namespace facemae
