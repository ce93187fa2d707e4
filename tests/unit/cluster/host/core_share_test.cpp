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

}  // namespace
}  // namespace facemae
