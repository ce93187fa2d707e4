#include "data/order/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/error.h"

namespace facemae {
namespace {

OrderConfig blocks(std::uint64_t lanes, std::uint64_t block) {
  return {.kind = "blocks", .lanes = lanes, .block = block};
}
std::vector<std::uint64_t> epoch_of(const Order& order, std::uint64_t epoch) {
  std::vector<std::uint64_t> rows;
  for (std::uint64_t q = 0; q < order.rows(); ++q) rows.push_back(order.row(epoch * order.rows() + q));
  return rows;
}
std::uint64_t times_each_once(std::vector<std::uint64_t> rows) {
  std::sort(rows.begin(), rows.end());
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < rows.size(); ++i) right += rows[i] == i ? 1 : 0;
  return right;
}

TEST(Order, MeansEveryRowOncePerEpochAndAnotherOrderEachEpoch) {
  for (const std::uint64_t rows : {1U, 2U, 7U, 64U, 65U, 997U, 4097U}) {
    const Order order(rows, 11);
    std::vector<std::vector<std::uint64_t>> epochs;
    for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
      epochs.push_back(epoch_of(order, epoch));
      ASSERT_EQ(times_each_once(epochs.back()), rows) << rows << " rows, epoch " << epoch;
    }
    if (rows > 64) {
      EXPECT_NE(epochs[0], epochs[1]);
      EXPECT_NE(epochs[1], epochs[2]);
    }
  }
}

TEST(BlocksOrder, MeansEveryRowOncePerEpochForAwkwardSizesLanesAndBlocks) {
  for (const std::uint64_t rows : {1U, 2U, 7U, 63U, 64U, 65U, 257U, 1000U, 4099U, 6000U})
    for (const std::uint64_t lanes : {1U, 2U, 3U, 7U, 16U, 1000U})
      for (const std::uint64_t block : {1U, 2U, 5U, 16U, 256U}) {
        const Order order(blocks(lanes, block), rows, 11);
        for (const std::uint64_t epoch : {0U, 1U, 5U})
          ASSERT_EQ(times_each_once(epoch_of(order, epoch)), rows)
              << rows << " rows, " << lanes << " lanes, blocks of " << block << ", epoch " << epoch;
      }
}

TEST(BlocksOrder, ChangesWithSeedAndEpoch) {
  const Order order(blocks(4, 16), 3000, 1), other(blocks(4, 16), 3000, 2);
  EXPECT_NE(epoch_of(order, 0), epoch_of(order, 1));
  EXPECT_NE(epoch_of(order, 0), epoch_of(other, 0));
  EXPECT_EQ(epoch_of(order, 2), epoch_of(Order(blocks(4, 16), 3000, 1), 2));
}

TEST(BlocksOrder, ReadsWholeBlocksInEachLaneFourAtATimeAndShufflesThem) {
  constexpr std::uint64_t kRows = 5000, kLanes = 3, kBlock = 16, kWindow = 4 * kBlock;
  const BlocksOrder order(kRows, 7, kLanes, kBlock);
  const std::uint64_t lane_rows = kRows / kBlock / kLanes * kBlock;
  EXPECT_EQ(order.rest_rows(), kRows - kLanes * lane_rows);
  for (std::uint64_t lane = 0; lane < kLanes; ++lane) {
    // Of the rest only rows that no complete block of a lane holds may come in between.
    std::map<std::uint64_t, std::vector<std::uint64_t>> at_of_block;
    for (std::uint64_t q = lane, at = 0; q < kRows; q += kLanes, ++at)
      at_of_block[order.row(q) / kBlock].push_back(at);
    std::uint64_t complete = 0, in_sequence = 0;
    for (const auto& [block, at] : at_of_block) {
      if (at.size() < kBlock) continue;
      ++complete;
      const std::uint64_t rest = order.rest_rows() / kLanes + 1;
      EXPECT_LT(at.back() - at.front(), kWindow + rest) << "block " << block;
      in_sequence += at.back() - at.front() == kBlock - 1 ? 1 : 0;
    }
    EXPECT_GE(complete, lane_rows / kBlock);
    EXPECT_LE(in_sequence, complete / 10) << "the rows of a window are hardly shuffled";
  }
}

TEST(BlocksOrder, PutsTheRowsBehindTheLastBlockAtPlacesThatChangeWithTheEpoch) {
  constexpr std::uint64_t kRows = 64 * 40 + 3;  // the last 3 rows are in no block
  const Order order(blocks(4, 64), kRows, 5);
  std::uint64_t in_first_half = 0, last_cycle = 0;
  for (std::uint64_t epoch = 0; epoch < 200; ++epoch) {
    const auto rows = epoch_of(order, epoch);
    for (std::uint64_t q = 0; q < kRows; ++q)
      if (rows[q] >= 64 * 40) {
        in_first_half += q < kRows / 2 ? 1 : 0;
        last_cycle += q >= kRows / 4 * 4 ? 1 : 0;
      }
  }
  EXPECT_EQ(BlocksOrder(kRows, 5, 4, 64).rest_rows(), 3U);  // here all of the rest is the unfinished cycle
  EXPECT_EQ(last_cycle, 600U);
  EXPECT_EQ(in_first_half, 0U);

  const Order uneven(blocks(3, 64), kRows, 5);  // 40 blocks on 3 lanes: one block and 3 rows are rest
  in_first_half = 0;
  for (std::uint64_t epoch = 0; epoch < 200; ++epoch) {
    const auto rows = epoch_of(uneven, epoch);
    for (std::uint64_t q = 0; q < kRows / 2; ++q) in_first_half += rows[q] >= 64 * 40 ? 1 : 0;
  }
  EXPECT_NEAR(in_first_half, 300, 60);
}

TEST(BlocksOrder, RefusesNoLanesAndEmptyBlocks) {
  EXPECT_THROW(Order(blocks(0, 4), 10, 1), ConfigError);
  EXPECT_THROW(Order(blocks(4, 0), 10, 1), ConfigError);
  EXPECT_THROW(Order({.kind = "sorted"}, 10, 1), ConfigError);
}

/// Ranks that read rows of each block in one epoch of `order`, rest apart.
std::map<std::uint64_t, std::set<int>> readers_of_blocks(const BlocksOrder& order, BatchPlan plan) {
  std::map<std::uint64_t, std::set<int>> readers;
  std::map<std::uint64_t, std::set<std::uint64_t>> lanes_of_block;  // a block of a lane is in no other
  for (std::uint64_t q = 0; q < order.rows(); ++q)
    lanes_of_block[order.row(q) / order.block()].insert(q % order.lanes());
  for (std::uint64_t step = 0; step < (order.rows() + plan.global_batch - 1) / plan.global_batch; ++step)
    for (int micro = 0; micro < plan.micro_batches; ++micro)
      for (int rank = 0; rank < plan.world; ++rank)
        for (const auto p : plan.ordinals(step, micro, rank)) {
          if (p >= order.rows()) continue;
          const auto block = order.row(p) / order.block();
          if (lanes_of_block[block].size() == 1) readers[block].insert(rank);
        }
  return readers;
}
std::uint64_t shared_blocks(const std::map<std::uint64_t, std::set<int>>& readers) {
  return static_cast<std::uint64_t>(
      std::count_if(readers.begin(), readers.end(), [](const auto& r) { return r.second.size() > 1; }));
}

TEST(BatchPlan, LetsEachBlockBeReadByOneRankWhereThatIsPossible) {
  constexpr std::uint64_t kRows = 16 * 12 * 9 + 100, kLanes = 12, kBlock = 16;
  const BlocksOrder order(kRows, 3, kLanes, kBlock);
  const auto readers = [&](std::uint64_t batch, int micros, int world) {
    return readers_of_blocks(order, {batch, micros, world, kLanes});
  };
  for (const int world : {1, 2, 3, 4, 6, 12}) {
    EXPECT_GE(readers(24, 1, world).size(), kLanes * (kRows / kBlock / kLanes));
    for (const std::uint64_t batch : {12U, 24U, 60U}) EXPECT_EQ(shared_blocks(readers(batch, 1, world)), 0U);
    EXPECT_EQ(shared_blocks(readers(36, 3, world)), 0U);  // micro-batches of 12
  }
  // The micro-batch divides the lanes: any world.
  for (const int world : {1, 2, 3, 4, 5, 6})
    for (const std::uint64_t batch : {6U, 4U, 3U})
      EXPECT_EQ(shared_blocks(readers(batch, 1, world)), 0U) << batch << " on " << world;
  // The lanes divide the micro-batch, but the ranks do not divide the lanes: at most W - 1 lanes are shared.
  for (const int world : {5, 7}) {
    const auto all = readers(24, 1, world);
    EXPECT_LE(shared_blocks(all), all.size() * static_cast<std::size_t>(world - 1) / kLanes + 1);
    EXPECT_GT(shared_blocks(all), 0U);
  }
  EXPECT_GT(shared_blocks(readers(10, 1, 4)), 0U) << "otherwise this test could not fail";
}

TEST(BatchPlan, GivesRanksWholeSlotsWhichNoWorldChanges) {
  for (const std::uint64_t batch : {8U, 13U, 64U})
    for (const int micros : {1, 3})
      for (const int slots : {1, 2, 4, 8, 16}) {
        std::vector<std::vector<std::uint64_t>> alone;
        for (int world = 1; world <= slots; ++world) {
          const BatchPlan plan{batch, micros, world, 5, slots};
          std::vector<std::vector<std::uint64_t>> all;
          for (int micro = 0; micro < micros; ++micro)
            for (int rank = 0; rank < world; ++rank) {
              const auto mine = plan.ordinals(3, micro, rank);
              const auto rank_rows = plan.rows_of_rank(micro)[static_cast<std::size_t>(rank)];
              ASSERT_EQ(static_cast<std::int64_t>(mine.size()), rank_rows);
              auto at = mine.begin();
              for (const auto rows : plan.rows_of_slots(micro, rank)) {
                ASSERT_LE(rows, mine.end() - at);
                all.emplace_back(at, at + rows);
                at += rows;
              }
              ASSERT_EQ(at, mine.end());
            }
          if (world == 1) alone = all;
          ASSERT_EQ(all.size(), static_cast<std::size_t>(micros * slots));
          ASSERT_EQ(all, alone) << batch << " in " << micros << " on " << world << ", " << slots << " slots";
        }
      }
  const BatchPlan plan{14, 3, 2, 1, 4};
  EXPECT_EQ(plan.rows_of_slots(1, 0), (std::vector<std::int64_t>{1, 1}));
  EXPECT_EQ(plan.rows_of_slots(1, 1), (std::vector<std::int64_t>{1, 2}));
}

TEST(BatchPlan, GivesEveryOrdinalOnceInASequenceThatNoWorldChanges) {
  for (const std::uint64_t batch : {1U, 2U, 7U, 12U, 31U, 64U})
    for (const int micros : {1, 2, 3})
      for (const std::uint64_t lanes : {1U, 2U, 5U, 12U, 64U, 100U})
        for (std::uint64_t step = 0; step < 9; ++step) {
          std::vector<std::uint64_t> alone;
          for (int world = 1; world <= 8; ++world) {
            const BatchPlan plan{batch, micros, world, lanes};
            std::vector<std::uint64_t> all;
            for (int micro = 0; micro < micros; ++micro) {
              const auto per_rank = plan.rows_of_rank(micro);
              for (int rank = 0; rank < world; ++rank) {
                const auto mine = plan.ordinals(step, micro, rank);
                ASSERT_EQ(static_cast<std::int64_t>(mine.size()), per_rank[static_cast<std::size_t>(rank)]);
                all.insert(all.end(), mine.begin(), mine.end());
              }
            }
            if (world == 1) {
              alone = all;
              std::sort(all.begin(), all.end());
              ASSERT_EQ(all.size(), batch);
              for (std::uint64_t i = 0; i < batch; ++i) ASSERT_EQ(all[i], step * batch + i);
            } else {
              ASSERT_EQ(all, alone) << batch << " in " << micros << " on " << world << ", " << lanes
                                    << " lanes";
            }
          }
        }
}

TEST(OrderConfig, SettlesByTheNumberOfRowsAndSuitsLanesToTheMicroBatch) {
  const OrderConfig automatic;
  EXPECT_EQ(automatic.settled(15'999'999, 64).kind, "uniform");
  EXPECT_EQ(automatic.settled(16'000'000, 64).kind, "blocks");
  EXPECT_EQ(OrderConfig{.kind = "balanced"}.settled(1ULL << 40, 64).kind, "balanced");
  EXPECT_EQ((OrderConfig{.lanes = 77}.settled(100, 64).lanes), 77U);
  for (const std::uint64_t n : {1U, 2U, 6U, 96U, 1000U, 1023U, 1024U, 1025U, 1536U, 8191U, 8192U, 65536U}) {
    const auto lanes = automatic.settled(1 << 30, n).lanes;
    EXPECT_TRUE(lanes % n == 0 || n % lanes == 0) << n;
    EXPECT_GT(lanes, 512U);
    EXPECT_LE(lanes, std::max<std::uint64_t>(n, 1024)) << n;
  }
  EXPECT_EQ(automatic.settled(1, 8192).lanes, 1024U);
  EXPECT_EQ(automatic.settled(1, 96).lanes, 960U);
}

/// Identity k has k mod 5 rows, one in seven rows has no label.
struct Labelled {
  std::vector<std::vector<std::uint64_t>> rows;
  std::uint64_t next = 0;
  explicit Labelled(std::int64_t count) {
    for (std::int64_t k = 0; k < count; ++k) {
      rows.emplace_back();
      for (std::int64_t i = 0; i < k % 5; ++i, next += next % 7 == 5 ? 2 : 1) rows.back().push_back(next);
    }
  }
  IdentityRows identities() const {
    return {.count = static_cast<std::int64_t>(rows.size()), .rows_of = [this](std::int64_t label) {
              return std::span<const std::uint64_t>(rows[static_cast<std::size_t>(label)]);
            }};
  }
};

TEST(BalancedOrder, VisitsEveryIdentityOncePerRoundWithSoManyImages) {
  const Labelled labelled(50);
  std::map<std::uint64_t, std::int64_t> label_of;
  for (std::int64_t k = 0; k < 50; ++k)
    for (const auto row : labelled.rows[static_cast<std::size_t>(k)]) label_of[row] = k;
  constexpr std::uint64_t kImages = 2, kRound = 40 * kImages;  // 10 identities are empty
  const Order order({.kind = "balanced", .images_per_identity = kImages}, labelled.next, 9,
                    labelled.identities());
  std::vector<std::int64_t> first_round;
  for (std::uint64_t round = 0; round < 4; ++round) {
    std::map<std::int64_t, std::vector<std::uint64_t>> seen;
    std::vector<std::int64_t> sequence;
    for (std::uint64_t p = round * kRound; p < (round + 1) * kRound; ++p) {
      const auto row = order.row(p);
      ASSERT_TRUE(label_of.contains(row)) << "a row without a label";
      seen[label_of[row]].push_back(row);
      sequence.push_back(label_of[row]);
      EXPECT_TRUE(p % kImages == 0 || sequence.back() == sequence[sequence.size() - 2]);
    }
    ASSERT_EQ(seen.size(), 40U);
    for (const auto& [label, rows] : seen) {
      ASSERT_EQ(rows.size(), kImages);
      EXPECT_EQ(rows[0] == rows[1], label % 5 == 1) << "an identity with 2 images showed one twice";
    }
    EXPECT_NE(sequence, first_round);
    if (round == 0) first_round = sequence;
  }
}

TEST(BalancedOrder, GoesThroughAllImagesOfAnIdentity) {
  const Labelled labelled(50);
  const Order order({.kind = "balanced", .images_per_identity = 2}, labelled.next, 9, labelled.identities());
  std::map<std::uint64_t, int> times;
  for (std::uint64_t p = 0; p < 80 * 60; ++p) ++times[order.row(p)];
  for (const auto& rows : labelled.rows)
    for (const auto row : rows)  // 120 images of each identity were shown
      EXPECT_NEAR(times[row], 120.0 / static_cast<double>(rows.size()), rows.size() == 3 ? 14 : 0.1) << row;
}

TEST(BalancedOrder, RefusesAStoreWithoutLabels) {
  EXPECT_THROW(Order({.kind = "balanced"}, 10, 1, {.count = 0, .rows_of = nullptr}), DataError);
  const Labelled labelled(6);
  EXPECT_THROW(Order({.kind = "balanced", .images_per_identity = 0}, labelled.next, 1, labelled.identities()),
               ConfigError);
}

}  // namespace
}  // namespace facemae
