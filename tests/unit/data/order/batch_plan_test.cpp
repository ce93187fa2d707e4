#include <gtest/gtest.h>

#include "data/order/order.h"

namespace facemae {
namespace {

TEST(BatchPlan, GivesEveryOrdinalOfAStepToExactlyOneRank) {
  for (const std::uint64_t batch : {1U, 2U, 7U, 12U, 31U}) {
    for (int micros = 1; micros <= 3; ++micros) {
      for (int world = 1; world <= 8; ++world) {
        const BatchPlan plan{batch, micros, world};
        std::vector<std::uint64_t> all;
        for (int micro = 0; micro < micros; ++micro) {
          const auto per_rank = plan.rows_of_rank(micro);
          for (int rank = 0; rank < world; ++rank) {
            const auto mine = plan.ordinals(4, micro, rank);
            ASSERT_EQ(static_cast<std::int64_t>(mine.size()), per_rank[static_cast<std::size_t>(rank)]);
            all.insert(all.end(), mine.begin(), mine.end());
          }
        }
        ASSERT_EQ(all.size(), batch);
        for (std::uint64_t i = 0; i < batch; ++i) ASSERT_EQ(all[i], 4 * batch + i);
      }
    }
  }
}

TEST(BatchPlan, TearsNoSetApartWhetherInMicroBatchesRanksOrSlots) {
  for (int micros = 1; micros <= 3; ++micros) {
    for (int world = 1; world <= 4; ++world) {
      for (const int slots : {0, 4}) {
        const BatchPlan plan{
            .global_batch = 84, .micro_batches = micros, .world = world, .slots = slots, .together = 6};
        std::vector<std::uint64_t> all;
        for (int micro = 0; micro < micros; ++micro) {
          EXPECT_EQ(plan.micro_begin(micro) % 6, 0U);
          for (int rank = 0; rank < world; ++rank) {
            const auto mine = plan.ordinals(2, micro, rank);
            EXPECT_EQ(mine.size() % 6, 0U);
            EXPECT_TRUE(mine.empty() || mine.front() % 6 == 0);
            all.insert(all.end(), mine.begin(), mine.end());
            std::int64_t in_slots = 0;
            for (const auto rows : plan.rows_of_slots(micro, rank)) {
              EXPECT_EQ(rows % 6, 0);
              in_slots += rows;
            }
            EXPECT_EQ(in_slots, slots > 0 ? static_cast<std::int64_t>(mine.size()) : 0);
          }
        }
        ASSERT_EQ(all.size(), 84U);
        for (std::uint64_t i = 0; i < 84; ++i) ASSERT_EQ(all[i], 2 * 84 + i);
      }
    }
  }
}

}  // namespace
}  // namespace facemae
