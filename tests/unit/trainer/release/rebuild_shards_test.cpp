#include "trainer/release/rebuild_shards.h"

#include <gmock/gmock.h>

#include <numeric>

namespace facemae {
namespace {

using testing::ElementsAre;

ReleasePlan plan_of(std::uint64_t rows, std::uint64_t shard_images) {
  ReleasePlan plan{.source_rows = std::vector<std::uint64_t>(rows), .shard_images = shard_images};
  std::iota(plan.source_rows.begin(), plan.source_rows.end(), 100);
  return plan;
}

TEST(ShardShare, GivesEveryShardToOneRank) {
  const ReleasePlan plan = plan_of(23, 5);  // the last one has three
  for (const int ranks : {1, 2, 3, 7}) {
    std::vector<int> makers(plan.shards(), 0);
    std::uint64_t images = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const ShardShare share = share_of_shards(plan, rank, ranks, [](std::uint64_t) { return false; });
      for (const auto shard : share.todo) ++makers[shard];
      images += share.images;
      EXPECT_EQ(share.finished, 0U);
    }
    EXPECT_THAT(makers, ElementsAre(1, 1, 1, 1, 1)) << ranks;
    EXPECT_EQ(images, 23U);
  }
}

TEST(ShardShare, LeavesFinishedShardsAloneAndCountsTheirImages) {
  const ReleasePlan plan = plan_of(23, 5);
  const auto share = share_of_shards(plan, 0, 2, [](std::uint64_t shard) { return shard == 4; });
  EXPECT_THAT(share.todo, ElementsAre(0, 2));
  EXPECT_EQ(share.finished, 1U);
  EXPECT_EQ(share.finished_images, 3U);
  EXPECT_EQ(share.images, 13U);
  EXPECT_THAT(rows_of_shard(plan, 4), ElementsAre(120, 121, 122));
  EXPECT_THAT(rows_of_shard(plan, 1), ElementsAre(105, 106, 107, 108, 109));
}

}  // namespace
}  // namespace facemae
