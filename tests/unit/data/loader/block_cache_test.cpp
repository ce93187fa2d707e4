#include "data/loader/block_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "data/loader/loader.h"
#include "tests/unit/data/image/faulty_inputs.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using namespace std::chrono_literals;

class Blocks : public testing::Test {
 protected:
  Blocks() {
    testing_stores::make_store(here_ / "store", {20, 20, 20, 20}, 32);
    store_ = Store::open(here_ / "store", inputs_, {.first_pause = 1ms, .give_up_after = 5ms});
    for (std::uint64_t row = 0; row < store_->size(); ++row) store_->read(row, images_.emplace_back());
    inputs_.reads = 0;
  }
  bool right(const RowBlock& block, std::uint64_t row) const {
    const Bytes image = block.image(row);
    return std::equal(image.begin(), image.end(), images_[row].begin(), images_[row].end());
  }
  test::TemporaryFolder here_;
  test::FaultyInputs inputs_;
  std::shared_ptr<const Store> store_;
  std::vector<std::vector<std::byte>> images_;
  ReadFigures figures_;
};

TEST_F(Blocks, AreReadOnceAndGoWhenAllTheirRowsWereUsed) {
  BlockCache cache(*store_, 8, 1 << 20);
  for (const std::uint64_t row : {9U, 15U, 8U, 10U, 14U, 11U, 12U}) {
    const auto block = cache.with(row, figures_);
    ASSERT_TRUE(block);
    EXPECT_TRUE(right(*block, row));
  }
  EXPECT_EQ(inputs_.reads, 1);
  EXPECT_GT(cache.bytes(), 0u);
  EXPECT_TRUE(cache.with(13, figures_));
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_TRUE(cache.with(13, figures_));
  EXPECT_EQ(inputs_.reads, 2);
}

TEST_F(Blocks, TheLastOneMayBeShort) {
  BlockCache cache(*store_, 24, 1 << 20);
  for (std::uint64_t row = 72; row < 80; ++row) ASSERT_TRUE(right(*cache.with(row, figures_), row));
  EXPECT_EQ(inputs_.reads, 1);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST_F(Blocks, DoNotPushEachOtherOutButLeaveRowsToBeReadAlone) {
  std::size_t eight = 0;
  for (std::uint64_t row = 0; row < 8; ++row) eight += images_[row].size();
  BlockCache cache(*store_, 8, eight * 5 / 2);
  EXPECT_TRUE(cache.with(0, figures_));
  EXPECT_TRUE(cache.with(8, figures_));
  EXPECT_FALSE(cache.with(16, figures_)) << "no room for a third";
  EXPECT_TRUE(cache.with(1, figures_));
  EXPECT_EQ(inputs_.reads, 2);
  EXPECT_LE(cache.bytes(), eight * 5 / 2);
  // Left over for long, as after a resume in the middle of a block: it makes room.
  for (int i = 0; i < 1000; ++i) cache.with(40, figures_);
  EXPECT_TRUE(cache.with(16, figures_));
}

TEST_F(Blocks, ThatCannotBeReadLeaveTheRowsToBeReadAlone) {
  const auto& shard = store_->shards()[0];
  inputs_.set(here_ / "store" / shard.file, test::failing(EIO, test::kAlways));
  BlockCache cache(*store_, 8, 1 << 20);
  EXPECT_FALSE(cache.with(0, figures_));
  EXPECT_TRUE(cache.with(40, figures_));
}

TEST_F(Blocks, AreSharedByThreads) {
  BlockCache cache(*store_, 16, 1 << 20);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      ReadFigures figures;
      for (std::uint64_t row = t; row < 80; row += 4) {
        const auto block = cache.with(row, figures);
        ASSERT_TRUE(block && right(*block, row)) << row;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_LE(inputs_.reads, 6) << "five blocks, one across two shards";
}

TEST_F(Blocks, OfAnOrderOfBlocksSaveTheLoaderReadsAndChangeNothing) {
  const Order order({.kind = "blocks", .lanes = 2, .block = 8}, store_->size(), 3);
  const BatchPlan plan{.global_batch = 10, .micro_batches = 1, .world = 1, .lanes = order.lanes()};
  std::vector<std::vector<std::uint8_t>> pixels[2];
  int reads[2];
  for (const bool by_block : {false, true}) {
    inputs_.reads = 0;
    Loader loader(store_, order, plan, 0, 0,
                  {.threads = 2, .ahead = 2, .block_bytes = by_block ? std::size_t{1} << 20 : 0});
    for (int i = 0; i < 16; ++i) {
      const auto batch = loader.next();
      pixels[by_block].emplace_back(batch->pixels.begin(), batch->pixels.end());
    }
    reads[by_block] = inputs_.reads;
  }
  EXPECT_EQ(pixels[0], pixels[1]);
  EXPECT_LT(reads[1] * 4, reads[0]) << reads[1] << " reads by blocks, " << reads[0] << " one by one";
}

}  // namespace
}  // namespace facemae
