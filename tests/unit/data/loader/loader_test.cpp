#include "data/loader/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

#include "core/error.h"
#include "tests/unit/data/loader/memory_store.h"

namespace facemae {
namespace {

using namespace test_loader;

class CountingMemory final : public std::pmr::memory_resource {
 public:
  std::atomic<std::size_t> held = 0, most = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    held += bytes;
    most = std::max<std::size_t>(most, held);
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override {
    held -= bytes;
    std::pmr::new_delete_resource()->deallocate(at, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

TEST(Loader, GivesTheSameGlobalBatchesForAnyThreadsAndWorld) {
  const auto store = store_of(53);
  const BatchPlan alone{10, 2, 1};
  const auto expected = global_batches(store, alone, 0, 14, {1, 1});
  std::set<std::uint64_t> rows;
  for (const auto& batch : expected) {
    ASSERT_EQ(batch.pixels.size(), batch.rows.size() * kSide * kSide * 3);
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      rows.insert(batch.rows[i]);
      EXPECT_EQ(batch.labels[i], store->label(batch.rows[i]));
      EXPECT_NEAR(batch.pixels[i * kSide * kSide * 3], MemoryStore::level(batch.rows[i]), 2);
    }
  }
  EXPECT_EQ(rows.size(), 53U);
  for (const int threads : {1, 2, 4}) {
    for (int world = 1; world <= 8; ++world) {
      EXPECT_EQ(global_batches(store, {10, 2, world}, 0, 14, {threads, 1 + world % 3}), expected)
          << threads << " threads, " << world << " ranks";
    }
  }
}

TEST(Loader, SeesEveryRowOncePerEpochAtAwkwardSizes) {
  for (const std::uint64_t rows : {1U, 3U, 29U}) {
    const auto store = store_of(rows);
    // One global batch of `rows` images is one epoch; batches of 4 run across epochs.
    std::map<std::uint64_t, int> seen;
    for (const auto& batch : global_batches(store, {4, 1, 3}, 0, static_cast<int>(rows), {2, 2})) {
      for (const std::uint64_t row : batch.rows) ++seen[row];
    }
    ASSERT_EQ(seen.size(), rows);
    for (const auto& [row, times] : seen) EXPECT_EQ(times, 4) << "row " << row;
  }
}

TEST(Loader, DrawsTheNoiseOfEachImageFromItsOrdinal) {
  const NoiseConfig noise{.values = 2, .draw = [](std::uint64_t ordinal, std::span<double> out) {
                            out[0] = static_cast<double>(ordinal);
                            out[1] = -out[0];
                          }};
  Loader loader(store_of(9), Order(9, 5), {4, 1, 1}, 0, 3, {.threads = 3, .noise = noise});
  std::unique_ptr<ByteBatch> batch;
  for (int i = 0; i < 5; ++i) {
    batch = loader.next(std::move(batch));
    ASSERT_EQ(batch->noise.size(), 2 * batch->size());
    for (std::size_t image = 0; image < batch->size(); ++image) {
      EXPECT_EQ(batch->noise[2 * image], static_cast<double>(batch->ordinals[image]));
      EXPECT_EQ(batch->noise[2 * image + 1], -batch->noise[2 * image]);
    }
  }
}

TEST(Loader, GivesAgainWhatItTookBackUnlessItIsQuarantined) {
  for (const bool quarantined : {false, true}) {
    Loader loader(store_of(40), Order(40, 5), {4, 1, 1}, 0, 0, {.threads = 2, .ahead = 2});
    (void)loader.next();
    while (!loader.ready()) std::this_thread::yield();
    auto batch = loader.next();
    const auto ordinals = batch->ordinals, rows = batch->rows;
    loader.unread(std::move(batch));
    if (quarantined)
      for (const std::size_t shard : {0, 1, 2}) loader.quarantine({.shard = shard, .from_ordinal = 4});
    EXPECT_TRUE(quarantined || loader.ready());
    batch = loader.next();
    EXPECT_EQ(batch->ordinals, ordinals);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool expected = quarantined ? batch->rows[i] >= 30 : batch->rows[i] == rows[i];
      EXPECT_TRUE(expected) << batch->rows[i];
    }
    EXPECT_EQ(loader.next()->step, 2U);
  }
}

TEST(Loader, StartingAtAStepEqualsSkippingToIt) {
  const auto store = store_of(31);
  const auto from_start = global_batches(store, {6, 2, 2}, 0, 20, {2, 3});
  const auto from_seven = global_batches(store, {6, 2, 2}, 7, 6, {2, 3});
  for (std::size_t i = 0; i < from_seven.size(); ++i) EXPECT_EQ(from_seven[i], from_start[14 + i]);
}

TEST(Loader, RanksWithoutRowsGetEmptyBatches) {
  const auto store = store_of(9);
  Loader loader(store, Order(9, 1), {2, 1, 4}, 0, 0, {2, 2});
  for (std::uint64_t step = 0; step < 5; ++step) {
    const auto batch = loader.next();
    EXPECT_EQ(batch->step, step);
    EXPECT_EQ(batch->size(), 0U);
  }
}

TEST(Loader, EndsAtOnceWhileDecodingAhead) {
  const auto store = store_of(20);
  for (int i = 0; i < 50; ++i) {
    Loader loader(store, Order(20, 1), {8, 1, 1}, 0, 0, {4, 4});
    if (i % 2 == 1) loader.next();
  }
}

TEST(Loader, CountsWhereItsTimeGoesSinceTheLastQuestion) {
  const auto store = store_of(20);
  Loader loader(store, Order(20, 1), {8, 1, 1}, 0, 0, {1, 1});
  loader.next();
  while (loader.figures().full_seconds == 0) loader.next();  // a ring of one batch fills up sooner or later
  loader.next();
  loader.next();
  const LoaderFigures figures = loader.figures();
  EXPECT_GT(figures.wait_seconds, 0);
  EXPECT_GT(figures.decode_seconds, 0);
  EXPECT_EQ(figures.augment_seconds, 0);
  EXPECT_GE(figures.images, 8U);
  EXPECT_EQ(figures.substituted, 0U);
  EXPECT_EQ(loader.figures().wait_seconds, 0);
}

TEST(Loader, HoldsNoMoreBatchesThanItIsTold) {
  const auto store = store_of(20);
  CountingMemory memory;
  {
    Loader loader(store, Order(20, 1), {8, 1, 1}, 0, 0, {.threads = 4, .ahead = 3, .pixel_memory = &memory});
    std::unique_ptr<ByteBatch> batch;
    for (int i = 0; i < 40; ++i) batch = loader.next(std::move(batch));
    // Three in the ring, one with the user, one to spare.
    EXPECT_LE(memory.most, std::size_t{5} * 8 * kSide * kSide * 3);
    EXPECT_GT(memory.most, 0U);
  }
  EXPECT_EQ(memory.held, 0U);
}

TEST(Loader, RefusesImpossibleSettings) {
  const auto store = store_of(4);
  EXPECT_THROW(Loader(store, Order(4, 1), {4, 1, 2}, 2, 0, {1, 1}), ConfigError);
  EXPECT_THROW(Loader(store, Order(5, 1), {4, 1, 1}, 0, 0, {1, 1}), ConfigError);
  EXPECT_THROW(Loader(store, Order(4, 1), {4, 1, 1}, 0, 0, {0, 1}), ConfigError);
  EXPECT_THROW(Loader(store, Order(4, 1), {4, 1, 1}, 0, 0,
                      {.sample = {.format = PixelFormat::Yuv420, .augment = {.crop = 0.1}}}),
               ConfigError);
}

}  // namespace
}  // namespace facemae
