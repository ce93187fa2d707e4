#include "data/loader/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <set>
#include <span>
#include <thread>

#include "core/error.h"
#include "data/image/image.h"

namespace facemae {
namespace {

constexpr int kSide = 16;

/// Encoded pictures in memory; each row is of one brightness, so that pixels tell the row.
class MemoryStore : public Store {
 public:
  explicit MemoryStore(std::uint64_t rows) {
    for (std::uint64_t row = 0; row < rows; ++row) {
      Image image{kSide, kSide, std::vector<std::uint8_t>(kSide * kSide * 3, level(row))};
      encoded_.push_back(row % 3 == 0 ? encode_png(image) : encode_jpeg(image));
    }
  }
  std::size_t shard_of(std::uint64_t row) const override { return row / 10; }
  std::atomic<bool>* gate = nullptr;  ///< reads wait until it opens
  static std::uint8_t level(std::uint64_t row) { return static_cast<std::uint8_t>(row * 37 % 251); }
  void truncate(std::uint64_t row) { encoded_[row].resize(encoded_[row].size() / 3); }
  void lose(std::uint64_t row) { encoded_[row].clear(); }

  const Path& folder() const noexcept override { return folder_; }
  std::uint64_t size() const noexcept override { return encoded_.size(); }
  std::int64_t identities() const noexcept override { return 7; }
  std::string identity_name(std::int64_t) const override { return ""; }
  std::int64_t label(std::uint64_t row) const override { return static_cast<std::int64_t>(row % 7); }
  int image_size() const noexcept override { return kSide; }
  void fetch(std::uint64_t row, std::vector<std::byte>& encoded, ReadFigures&) const override {
    while (gate != nullptr && !*gate) std::this_thread::yield();
    encoded = encoded_.at(row);
    if (encoded.empty()) throw DataError("row " + std::to_string(row) + " is lost");
  }
  const std::vector<ShardInfo>& shards() const noexcept override { return shards_; }
  Hash128 dataset_digest() const noexcept override { return {}; }
  std::string source_licence() const override { return ""; }
  bool released() const noexcept override { return false; }
  std::span<const std::uint64_t> rows_of(std::int64_t) const override { return {}; }

 private:
  Path folder_ = "memory";
  std::vector<std::vector<std::byte>> encoded_;
  std::vector<ShardInfo> shards_;
};

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

std::shared_ptr<MemoryStore> store_of(std::uint64_t rows) { return std::make_shared<MemoryStore>(rows); }

/// Rows and pixels of `count` global micro-batches, the ranks' parts joined in rank order.
struct Global {
  std::vector<std::uint64_t> ordinals, rows;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> pixels;
  bool operator==(const Global&) const = default;
};
std::vector<Global> global_batches(const std::shared_ptr<const Store>& store, BatchPlan plan,
                                   std::uint64_t first_step, int count, const LoaderConfig& config) {
  std::vector<Global> all(static_cast<std::size_t>(count));
  for (int rank = 0; rank < plan.world; ++rank) {
    Loader loader(store, Order(store->size(), 5), plan, rank, first_step, config);
    std::unique_ptr<ByteBatch> batch;
    for (auto& global : all) {
      batch = loader.next(std::move(batch));
      global.ordinals.insert(global.ordinals.end(), batch->ordinals.begin(), batch->ordinals.end());
      global.rows.insert(global.rows.end(), batch->rows.begin(), batch->rows.end());
      global.labels.insert(global.labels.end(), batch->labels.begin(), batch->labels.end());
      global.pixels.insert(global.pixels.end(), batch->pixels.begin(), batch->pixels.end());
    }
  }
  return all;
}

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

TEST(Loader, PutsTheSameImagesInPlaceOfBadOnesForAnyThreadsWorldAndStart) {
  const auto store = store_of(40);
  const Order order(40, 5);
  for (const std::uint64_t ordinal : {14U, 13U}) store->truncate(order.row(ordinal));
  store->lose(order.row(18));
  const Quarantine rows(order, 0, [](std::uint64_t) { return std::size_t{0}; });
  const auto expected = global_batches(store, {4, 1, 1}, 0, 20, {1, 1});
  for (const std::uint64_t ordinal : {13U, 14U, 18U}) {
    const std::uint64_t found = expected[ordinal / 4].rows[ordinal % 4];
    EXPECT_NE(found, order.row(ordinal));
    EXPECT_EQ(expected[ordinal / 4].labels[ordinal % 4], store->label(found));
    EXPECT_NEAR(expected[ordinal / 4].pixels[ordinal % 4 * kSide * kSide * 3], MemoryStore::level(found), 2);
  }
  EXPECT_EQ(expected[3].rows[1], rows.row_for(13, 1));
  EXPECT_EQ(expected[3].rows[0], order.row(12));
  for (const int threads : {1, 4})
    for (const int world : {1, 2, 3})
      EXPECT_EQ(global_batches(store, {4, 1, world}, 0, 20, {threads, 3}), expected);
  const auto later = global_batches(store, {4, 1, 2}, 3, 5, {2, 2});
  for (std::size_t i = 0; i < later.size(); ++i) EXPECT_EQ(later[i], expected[3 + i]);
}

TEST(Loader, EndsWhenMoreImagesAreBadThanThePolicyBears) {
  for (const int threads : {1, 3}) {
    for (const double fraction : {1e-5, 0.5}) {
      const auto store = store_of(40);
      for (std::uint64_t row = 0; row < 4; ++row) store->lose(row * 9);
      Loader loader(store, Order(40, 5), {4, 1, 1}, 0, 0,
                    {.threads = threads, .ahead = 3, .max_bad_fraction = fraction});
      const auto an_epoch = [&] {
        for (int i = 0; i < 10; ++i) loader.next();
      };
      if (fraction == 0.5) {
        an_epoch();
        an_epoch();
        EXPECT_GE(loader.figures().substituted, 8U);
        continue;
      }
      EXPECT_THROW(an_epoch(), DataError);
      try {
        loader.next();
        ADD_FAILURE() << "the failure was forgotten";
      } catch (const DataError& error) {
        EXPECT_NE(std::string(error.what()).find("--max-bad-fraction"), std::string::npos) << error.what();
      }
    }
  }
}

TEST(Loader, BearsAFewBadImagesEpochAfterEpoch) {
  const auto store = store_of(20);
  for (std::uint64_t row = 0; row < 3; ++row) store->lose(row * 5);
  Loader loader(store, Order(20, 5), {4, 1, 1}, 0, 0, {.threads = 2, .ahead = 2});
  std::unique_ptr<ByteBatch> batch;
  for (int i = 0; i < 200; ++i) batch = loader.next(std::move(batch));
  EXPECT_GE(loader.figures().substituted, 115U);
}

TEST(Loader, EndsWhenNothingCanStandIn) {
  const auto store = store_of(5);
  for (std::uint64_t row = 0; row < 5; ++row) store->lose(row);
  Loader loader(store, Order(5, 5), {4, 1, 1}, 0, 0, {.threads = 2, .ahead = 2, .max_bad_fraction = 1});
  EXPECT_THROW(loader.next(), DataError);
}

TEST(Loader, LeavesOutWhatIsQuarantinedFromAStepOn) {
  const auto store = store_of(40);  // rows 0..9 are shard 0, and so on
  const Order order(40, 5);
  Quarantine rows(order, 0, [&](std::uint64_t row) { return store->shard_of(row); });
  rows.add({.shard = 1, .from_ordinal = 5 * 4});
  Loader loader(store, order, {4, 1, 1}, 0, 0, {.threads = 3, .ahead = 6});
  const auto check = [&](std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps; ++i) {
      const auto batch = loader.next();
      for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(batch->rows[k], rows.row_for(batch->ordinals[k]));
    }
  };
  check(3);
  EXPECT_THROW(loader.quarantine({.shard = 1, .from_ordinal = 2 * 4}), Error) << "step 2 was used already";
  EXPECT_THROW(loader.quarantine({.shard = 1, .from_ordinal = 5 * 4 + 1}), Error) << "no step begins there";
  loader.quarantine({.shard = 1, .from_ordinal = 5 * 4});
  check(30);
  // Known from the start, as after a resume.
  Loader again(store, order, {4, 1, 1}, 0, 4,
               {.threads = 2, .ahead = 2, .quarantined = {{.shard = 1, .from_ordinal = 20}}});
  for (int i = 0; i < 8; ++i) {
    const auto batch = again.next();
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(batch->rows[k], rows.row_for(batch->ordinals[k]));
  }
}

TEST(Loader, SaysThatItWaitsAndGivesUpLate) {
  const auto store = store_of(8);
  std::atomic<bool> open = false;
  store->gate = &open;
  Loader loader(store, Order(8, 5), {4, 1, 1}, 0, 0,
                {.threads = 2,
                 .ahead = 1,
                 .warn_after = std::chrono::milliseconds(5),
                 .give_up_after = std::chrono::milliseconds(60)});
  try {
    loader.next();
    ADD_FAILURE() << "a batch came from nowhere";
  } catch (const FileError& error) {
    EXPECT_EQ(error.code(), ETIMEDOUT);
    EXPECT_NE(std::string(error.what()).find("0 of 4 images"), std::string::npos) << error.what();
  }
  open = true;
  EXPECT_EQ(loader.next()->size(), 4U) << "a storage that comes back is used again";
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
