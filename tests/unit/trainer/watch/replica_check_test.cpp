#include "trainer/watch/replica_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(OddRanks, AreThoseThatDifferFromMostAndAllWithoutAMajority) {
  EXPECT_THAT(odd_ranks({"a"}), IsEmpty());
  EXPECT_THAT(odd_ranks({"a", "a", "a"}), IsEmpty());
  EXPECT_THAT(odd_ranks({"a", "b", "a"}), ElementsAre(1));
  EXPECT_THAT(odd_ranks({"b", "a", "a", "c", "a"}), ElementsAre(0, 3));
  EXPECT_THAT(odd_ranks({"a", "b"}), ElementsAre(0, 1));
  EXPECT_THAT(odd_ranks({"a", "a", "b", "b"}), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(odd_ranks({"a", "b", "c"}), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace facemae
