#include "data/pack/pack_share.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(Share, DealsOutEverythingOnceAndEvenly) {
  const Numbers left = missing_from({0, 3, 3, 99}, 12);
  EXPECT_EQ(left, (Numbers{1, 2, 4, 5, 6, 7, 8, 9, 10, 11}));
  for (const int ranks : {1, 3, 4, 20}) {
    std::vector<bool> dealt(12, false);
    for (int rank = 0; rank < ranks; ++rank) {
      const Numbers mine = share_of(left, rank, ranks);
      const auto even = left.size() / static_cast<std::size_t>(ranks);
      EXPECT_TRUE(mine.size() == even || mine.size() == even + 1);
      for (const auto number : mine) {
        EXPECT_FALSE(dealt[number]);
        dealt[number] = true;
      }
    }
    for (const auto number : left) EXPECT_TRUE(dealt[number]);
  }
}

}  // namespace
}  // namespace facemae
