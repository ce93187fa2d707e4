#include "cluster/host/plan.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

std::vector<PlannedShard> some_shards(int count, std::uint64_t seed) {
  Draws draws(seed);
  std::vector<PlannedShard> shards;
  for (int s = 0; s < count; ++s) {
    const std::uint64_t images = 1 + draws.below(1000);
    shards.push_back(
        {.file = "shard-" + std::to_string(s) + ".h5", .images = images, .bytes = images * 9000});
  }
  return shards;
}

TEST(Plan, KeepsTheOrderOfTheShards) {
  const auto shards = some_shards(40, 11);
  const auto plan = plan_shards(shards, "digest", 3);
  ASSERT_EQ(plan.shards.size(), shards.size());
  for (std::size_t s = 0; s < shards.size(); ++s) EXPECT_EQ(plan.shards[s].file, shards[s].file);
}

TEST(Plan, SerialisesToEqualBytesAndReadsThemBack) {
  const auto plan = plan_shards(some_shards(9, 4), "d1", 3);
  const auto bytes = serialise(plan);
  EXPECT_EQ(bytes, serialise(plan_shards(some_shards(9, 4), "d1", 3)));
  EXPECT_NE(bytes, serialise(plan_shards(some_shards(9, 4), "d2", 3)));
  const auto back = parse_plan(bytes);
  EXPECT_EQ(back.dataset_digest, "d1");
  EXPECT_EQ(back.mode, "shared");
  EXPECT_EQ(back.nodes, 3);
  EXPECT_EQ(back.shards.at(8).images, plan.shards.at(8).images);
  EXPECT_EQ(serialise(back), bytes);
}

TEST(Plan, RefusesBytesThatAreNoPlan) {
  EXPECT_THROW(parse_plan("\xff\xff\xff not a message"), DataError);
  EXPECT_THROW(plan_shards({}, "d", 0), ConfigError);
}

TEST(Plan, HasANewVersionWhenShardsAreQuarantined) {
  const auto plan = plan_shards(some_shards(9, 4), "d1", 3);
  const auto next = replan(plan, {{.shard = 2, .from_ordinal = 640}, {.shard = 8, .from_ordinal = 12}});
  EXPECT_EQ(next.version, plan.version + 1);
  EXPECT_NE(serialise(next), serialise(plan));
  const auto back = parse_plan(serialise(next));
  ASSERT_EQ(back.quarantine.size(), 2U);
  EXPECT_EQ(back.quarantine[0].shard, 2U);
  EXPECT_EQ(back.quarantine[0].from_ordinal, 640U);
  EXPECT_EQ(serialise(back), serialise(next));
  EXPECT_THROW(parse_plan(serialise(replan(plan, {{.shard = 9}}))), DataError);
}

TEST(Plan, IsPublishedByOneProcessToItself) {
  AloneControl control;
  const auto plan = plan_shards(some_shards(3, 1), "d", 1);
  EXPECT_EQ(serialise(publish(plan, control)), serialise(plan));
}

}  // namespace
}  // namespace facemae
