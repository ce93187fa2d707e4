// What a cluster asks of plans and orders at the size of WebFace260M. Prints the
// figures of docs/PERFORMANCE.md.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <unordered_map>
#include <vector>

#include "cluster/host/plan.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "data/order/order.h"

namespace facemae {
namespace {

#ifdef FACEMAE_WHOLE_EPOCHS
constexpr bool kWhole = true;
#else
constexpr bool kWhole = false;
#endif

constexpr std::uint64_t kRows = 260'000'000, kShards = 870, kBatch = 8192, kOfIdentity = 20;
constexpr int kNodes = 64, kRanks = kNodes * 8;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

Order blocks(std::uint64_t rows, std::uint64_t seed) {
  return Order(OrderConfig{.kind = "blocks"}.settled(rows, kBatch), rows, seed);
}
BatchPlan plan_of(const Order& order) {
  return {.global_batch = kBatch, .micro_batches = 1, .world = kRanks, .lanes = order.lanes()};
}

TEST(Scale, PlansShardsAndFindsARanksRowsAtOnceInConstantMemory) {
  std::vector<PlannedShard> shards;
  for (std::uint64_t s = 0; s < kShards; ++s)
    shards.push_back({.file = "shard-00000.h5", .images = kRows / kShards, .bytes = 2'100'000'000});
  const double before = resident_mib();
  auto start = std::chrono::steady_clock::now();
  const auto plan = plan_shards(std::move(shards), "digest", kNodes);
  const auto bytes = serialise(plan);
  const auto received = parse_plan(bytes);
  const double planning = seconds_since(start);
  EXPECT_EQ(received.shards.size(), kShards);

  const Order order = blocks(kRows, 1);
  const BatchPlan batches = plan_of(order);
  std::uint64_t sum = 0, step = 0;
  double rank_step = 1;  // the fastest of many passes: other processes may hold up some
  for (int pass = 0; pass < 40; ++pass) {
    start = std::chrono::steady_clock::now();
    for (const std::uint64_t end = step + 100; step < end; ++step)
      for (const auto p : batches.ordinals(step * 7, 0, 300)) sum += order.row(p);
    rank_step = std::min(rank_step, seconds_since(start) / 100);
  }
  EXPECT_GT(sum, 0U);
  const double grown = resident_mib() - before;
  std::printf("plan of %llu shards on %d nodes     %.2f ms, %zu bytes\n",
              static_cast<unsigned long long>(kShards), kNodes, 1e3 * planning, bytes.size());
  std::printf("a rank's rows of a step             %.2f us for %llu rows\n", 1e6 * rank_step,
              static_cast<unsigned long long>(kBatch / kRanks));
  std::printf("memory grown by plan and order      %.2f MiB\n", grown);
  EXPECT_LT(planning, 1);
  EXPECT_LT(rank_step, 1e-3);
  EXPECT_LT(grown, 8);
}

/// Rows of one rank in epoch 0, and how many of a block of them.
struct Share {
  std::vector<std::uint64_t> rows;
  std::unordered_map<std::uint64_t, std::uint64_t> of_block;
};
Share share_of(const Order& order, int rank) {
  const BatchPlan plan = plan_of(order);
  Share share;
  for (std::uint64_t step = 0; step * kBatch < kRows; ++step)
    for (const auto p : plan.ordinals(step, 0, rank))
      if (p < kRows) {
        share.rows.push_back(order.row(p));
        ++share.of_block[share.rows.back() / order.block()];
      }
  return share;
}

TEST(Scale, GivesEachBlockToOneRankAndNoRowTwice) {
  const Order order = blocks(kRows, 1);
  const BlocksOrder same(kRows, 1, order.lanes(), order.block());
  // A rank that reads all rows of a block leaves none of them to others, since rows come once an epoch.
  std::vector<std::uint64_t> rows;
  std::uint64_t alone = 0, partly = 0;
  for (const int rank : {0, 7, 255, 256, 511}) {
    const Share share = share_of(order, rank);
    rows.insert(rows.end(), share.rows.begin(), share.rows.end());
    for (const auto& [block, count] : share.of_block) {
      EXPECT_LE(count, order.block());
      alone += count == order.block() ? 1 : 0;
      partly += count < order.block() ? count : 0;
    }
  }
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(std::adjacent_find(rows.begin(), rows.end()), rows.end()) << "a row came twice in an epoch";
  const double rest = static_cast<double>(same.rest_rows()) / kRows;
  const double in_part = static_cast<double>(partly) / static_cast<double>(rows.size());
  std::printf(
      "rows of five ranks in an epoch      %zu, %llu blocks read whole; rest %.3f %%, expected %.3f %%\n",
      rows.size(), static_cast<unsigned long long>(alone), 100 * in_part, 100 * rest);
  EXPECT_EQ(alone * order.block() + partly, rows.size());
  EXPECT_NEAR(in_part, rest, 0.1 * rest) << "rows beside the rest are read in part by other ranks";
}

#ifdef FACEMAE_WHOLE_EPOCHS
TEST(Scale, SeesEveryRowOfAnEpochOnce) {
  const Order order = blocks(kRows, 1);
  std::vector<bool> seen(kRows);
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t q = 0; q < kRows; ++q) {
    const auto row = order.row(3 * kRows + q);
    ASSERT_LT(row, kRows);
    ASSERT_FALSE(seen[row]) << row;
    seen[row] = true;
  }
  std::printf("whole epoch, every row once         %.1f ns an index\n", 1e9 * seconds_since(start) / kRows);
}
#endif

/// Pairs of one identity in a batch / what a true shuffle gives, of a store shuffled at ingest.
double same_identity_ratio(const Order& order, std::uint64_t batches) {
  const Permutation ingest(order.rows(), key_of(5, Purpose::Ingest));
  std::uint64_t pairs = 0;
  std::vector<std::uint64_t> identities(kBatch);
  for (std::uint64_t b = 0; b < batches; ++b) {
    const std::uint64_t step = order.rows() / kBatch / batches * b;
    for (std::uint64_t i = 0; i < kBatch; ++i)
      identities[i] = ingest(order.row(step * kBatch + i)) / kOfIdentity;
    std::sort(identities.begin(), identities.end());
    for (std::uint64_t i = 0, run = 0; i < kBatch; ++i, pairs += run)
      run = i > 0 && identities[i] == identities[i - 1] ? run + 1 : 0;
  }
  const double expected = static_cast<double>(batches) * kBatch * (kBatch - 1) / 2 * (kOfIdentity - 1) /
                          static_cast<double>(order.rows() - 1);
  return static_cast<double>(pairs) / expected;
}

/// Pairs of batch-mates of epoch 0 that meet again in epoch 1 / what a true shuffle gives.
double meeting_again_ratio(const Order& order, std::uint64_t batches) {
  const std::uint64_t rows = order.rows(), whole = rows / kBatch;
  std::unordered_map<std::uint64_t, std::uint64_t> batch_of;
  std::vector<bool> watched(rows);
  for (std::uint64_t b = 0; b < batches; ++b)
    for (std::uint64_t i = 0; i < kBatch; ++i) {
      const auto row = order.row(whole / batches * b * kBatch + i);
      batch_of[row] = b;
      watched[row] = true;
    }
  std::unordered_map<std::uint64_t, std::uint64_t> met;  // rows of an old batch in a new one
  std::uint64_t pairs = 0;
  for (std::uint64_t q = 0; q < whole * kBatch; ++q) {
    const auto row = order.row(rows + q);
    if (watched[row]) pairs += met[q / kBatch * batches + batch_of[row]]++;
  }
  const double expected = static_cast<double>(batches) * kBatch * (kBatch - 1) / 2 *
                          (static_cast<double>(whole * kBatch) / static_cast<double>(rows)) * (kBatch - 1) /
                          static_cast<double>(rows - 1);
  return static_cast<double>(pairs) / expected;
}

TEST(Scale, MixesIdentitiesLikeATrueShuffle) {
  const std::uint64_t batches = kWhole ? 8000 : 400;  // 2.45 pairs a batch
  const double uniform = same_identity_ratio(Order(kRows, 1), batches);
  const double in_blocks = same_identity_ratio(blocks(kRows, 1), batches);
  std::printf("pairs of one identity in a batch    uniform %.3f, blocks %.3f of a true shuffle's\n", uniform,
              in_blocks);
  const double noise = kWhole ? 0.05 : 0.15;
  EXPECT_NEAR(uniform, 1, noise);
  EXPECT_NEAR(in_blocks, 1, noise);
}

TEST(Scale, BatchMatesMeetAgainAsInATrueShuffle) {
  const std::uint64_t rows = kWhole ? kRows : 5'000'000, batches = kWhole ? 64 : 4;
  const double in_blocks = meeting_again_ratio(blocks(rows, 1), batches);
  std::printf("batch-mates meeting again           blocks %.3f of a true shuffle's at %llu M rows\n",
              in_blocks, static_cast<unsigned long long>(rows / 1'000'000));
  EXPECT_NEAR(in_blocks, 1, 0.05);
  // Few lanes put much of a block into one batch, epoch for epoch: the measure must notice.
  const Order coarse({.kind = "blocks", .lanes = 32}, 5'000'000, 1);
  EXPECT_GT(meeting_again_ratio(coarse, 4), 1.2);
}

}  // namespace
}  // namespace facemae
