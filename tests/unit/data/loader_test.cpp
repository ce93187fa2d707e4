#include "data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/keys.h"
#include "data/image.h"

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

std::shared_ptr<MemoryStore> store_of(std::uint64_t rows) { return std::make_shared<MemoryStore>(rows); }

/// Rows and pixels of `count` global micro-batches, the ranks' parts joined in rank order.
struct Global {
  std::vector<std::uint64_t> ordinals, rows;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> pixels;
  bool operator==(const Global&) const = default;
};
std::vector<Global> global_batches(const std::shared_ptr<const Store>& store, BatchPlan plan,
                                   std::uint64_t first_step, int count, LoaderConfig config) {
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

TEST(Permutation, IsABijectionWithItsInverseOverAwkwardSizes) {
  for (const std::uint64_t n : {1U, 2U, 3U, 5U, 16U, 17U, 255U, 257U, 1000U, 4099U}) {
    for (const std::uint64_t key : {0ULL, 1ULL, 0xFFFFFFFFFFFFFFFFULL}) {
      const Permutation permutation(n, key);
      std::vector<bool> seen(n);
      for (std::uint64_t i = 0; i < n; ++i) {
        const std::uint64_t value = permutation(i);
        ASSERT_LT(value, n);
        ASSERT_FALSE(seen[value]) << n;
        seen[value] = true;
        ASSERT_EQ(permutation.inverse(value), i);
      }
    }
  }
}

TEST(Order, MeansEveryRowOncePerEpochAndAnotherOrderEachEpoch) {
  for (const std::uint64_t rows : {1U, 2U, 7U, 64U, 65U, 997U, 4097U}) {
    const Order order(rows, 11);
    std::vector<std::vector<std::uint64_t>> epochs;
    for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
      std::vector<std::uint64_t> seen;
      for (std::uint64_t q = 0; q < rows; ++q) seen.push_back(order.row(epoch * rows + q));
      epochs.push_back(seen);
      std::sort(seen.begin(), seen.end());
      for (std::uint64_t row = 0; row < rows; ++row)
        ASSERT_EQ(seen[row], row) << rows << " rows, epoch " << epoch;
    }
    if (rows > 64) {
      EXPECT_NE(epochs[0], epochs[1]);
      EXPECT_NE(epochs[1], epochs[2]);
    }
  }
}

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

TEST(Loader, ThrowsTheFirstBadImageInOrderAtItsPlace) {
  const Order order(40, 5);
  for (const int threads : {1, 2, 4}) {
    for (const bool lost : {false, true}) {
      const auto store = store_of(40);
      // Ordinals 13 and 14 are in micro-batch 3 of 4 images each; 18 is in the next.
      for (const std::uint64_t ordinal : {14U, 13U, 18U}) {
        if (lost) {
          store->lose(order.row(ordinal));
        } else {
          store->truncate(order.row(ordinal));
        }
      }
      Loader loader(store, order, {4, 1, 1}, 0, 0, {threads, 3});
      for (int i = 0; i < 3; ++i) EXPECT_EQ(loader.next()->size(), 4U);
      for (int again = 0; again < 2; ++again) {
        try {
          loader.next();
          ADD_FAILURE() << "the bad image was not noticed";
        } catch (const DataError& error) {
          EXPECT_NE(std::string(error.what()).find("row " + std::to_string(order.row(13)) + " "),
                    std::string::npos)
              << error.what();
        }
      }
    }
  }
}

TEST(Loader, EndsAtOnceWhileDecodingAhead) {
  const auto store = store_of(20);
  for (int i = 0; i < 50; ++i) {
    Loader loader(store, Order(20, 1), {8, 1, 1}, 0, 0, {4, 4});
    if (i % 2 == 1) loader.next();
  }
}

TEST(Loader, CountsItsWaitsSinceTheLastQuestion) {
  const auto store = store_of(20);
  Loader loader(store, Order(20, 1), {8, 1, 1}, 0, 0, {1, 1});
  loader.next();
  EXPECT_GT(loader.wait_seconds(), 0);
  EXPECT_EQ(loader.wait_seconds(), 0);
}

TEST(Loader, RefusesImpossibleSettings) {
  const auto store = store_of(4);
  EXPECT_THROW(Loader(store, Order(4, 1), {4, 1, 2}, 2, 0, {1, 1}), ConfigError);
  EXPECT_THROW(Loader(store, Order(5, 1), {4, 1, 1}, 0, 0, {1, 1}), ConfigError);
  EXPECT_THROW(Loader(store, Order(4, 1), {4, 1, 1}, 0, 0, {0, 1}), ConfigError);
}

}  // namespace
}  // namespace facemae
