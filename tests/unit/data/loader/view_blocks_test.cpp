// Blocks of rows of views: how often the storage is read, and what is kept.
#include <gtest/gtest.h>

#include "data/loader/block_cache.h"
#include "data/loader/loader.h"
#include "data/store/manifest.h"
#include "tests/unit/data/image/faulty_inputs.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using namespace std::chrono_literals;
using Rows = std::vector<std::uint64_t>;

class ViewBlocks : public testing::Test {
 protected:
  ViewBlocks() {
    testing_stores::make_store(here_ / "store", {100, 100, 100, 84}, 128);
    store_ = open("store");
    for (std::uint64_t row = 0; row < store_->size(); ++row) store_->read(row, images_.emplace_back());
    inputs_.reads = 0;
  }
  std::shared_ptr<const Store> open(const std::string& name, const std::vector<std::size_t>& lost = {}) {
    return Store::open(here_ / name, inputs_, {.first_pause = 1ms, .give_up_after = 5ms, .lost = lost});
  }
  std::shared_ptr<const Store> view_of(const Store& parent, const std::string& name, Rows rows) {
    std::vector<std::int64_t> labels(rows.size(), 0);
    write_view(real_files(), here_ / name, parent, std::move(rows), labels, 1, {"somebody"});
    return open(name);
  }
  static Rows every(std::uint64_t step, std::uint64_t first, std::uint64_t end) {
    Rows rows;
    for (std::uint64_t row = first; row < end; row += step) rows.push_back(row);
    return rows;
  }
  bool right(const RowBlock& block, std::uint64_t row, std::uint64_t in_store) const {
    const Bytes image = block.image(row);
    return std::equal(image.begin(), image.end(), images_[in_store].begin(), images_[in_store].end());
  }
  /// Reads of the storage per image, over so many epochs that what is read ahead at the end hardly counts.
  double reads_per_image(const std::shared_ptr<const Store>& store,
                         std::vector<std::vector<std::uint8_t>>* pixels = nullptr,
                         std::size_t cache = 1 << 20) {
    inputs_.reads = 0;
    const Order order({.kind = "blocks", .lanes = 2, .block = 16}, store->size(), 3);
    const BatchPlan plan{.global_batch = 16, .micro_batches = 1, .world = 1, .lanes = order.lanes()};
    const std::uint64_t batches = 8 * store->size() / 16;
    Loader loader(store, order, plan, 0, 0, {.threads = 2, .ahead = 2, .block_bytes = cache});
    for (std::uint64_t i = 0; i < batches; ++i) {
      const auto batch = loader.next();
      if (pixels) pixels->emplace_back(batch->pixels.begin(), batch->pixels.end());
    }
    return static_cast<double>(inputs_.reads) / static_cast<double>(16 * batches);
  }
  test::TemporaryFolder here_;
  test::FaultyInputs inputs_;
  std::shared_ptr<const Store> store_;
  std::vector<std::vector<std::byte>> images_;
  ReadFigures figures_;
};

TEST_F(ViewBlocks, OfEverySecondRowAreReadLikeThoseOfTheStore) {
  const auto half = view_of(*store_, "half", every(2, 0, 384));
  const double of_store = reads_per_image(store_), of_view = reads_per_image(half);
  EXPECT_LE(of_view, 1.2 * of_store) << of_store << " reads per image of the store";
  EXPECT_LT(of_store, 0.1);
}

TEST_F(ViewBlocks, HoldJustTheRowsOfTheView) {
  const auto half = view_of(*store_, "half", every(2, 1, 384));
  const auto third = view_of(*half, "third", every(2, 0, half->size()));
  const auto last = view_of(*third, "last", every(1, 10, third->size()));  // a view of a view of a view
  BlockCache cache(*last, 16, 1 << 20);
  std::size_t bytes = 0;
  for (std::uint64_t row = 0; row < 16; ++row) {
    const std::uint64_t in_store = 1 + 4 * (10 + row);
    const auto block = cache.with(row, figures_);
    ASSERT_TRUE(block && right(*block, row, in_store)) << row;
    EXPECT_TRUE(last->intact(row, block->image(row)));
    bytes += images_[in_store].size();
    if (row == 14) {
      EXPECT_EQ(cache.bytes(), bytes + images_[in_store + 4].size());
    }
  }
  EXPECT_EQ(inputs_.reads, 1);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST_F(ViewBlocks, InTwoPlacesTakeTwoReads) {
  Rows rows = every(1, 20, 28);  // eight rows together, and eight in the next shard but one
  for (const std::uint64_t row : every(1, 300, 308)) rows.push_back(row);
  const auto view = view_of(*store_, "places", rows);
  BlockCache cache(*view, 16, 1 << 20);
  for (std::uint64_t row = 0; row < 16; ++row) {
    const auto block = cache.with(row, figures_);
    ASSERT_TRUE(block && right(*block, row, rows[row])) << row;
  }
  EXPECT_EQ(inputs_.reads, 2);
}

TEST_F(ViewBlocks, WhoseRowsLieFarApartAreNotRead) {
  const auto tenth = view_of(*store_, "tenth", every(10, 0, 384));
  Rows turned = every(1, 0, 384);
  std::reverse(turned.begin(), turned.end());
  const auto backwards = view_of(*store_, "backwards", turned);
  for (const auto& view : {tenth, backwards}) {
    BlockCache cache(*view, 16, 1 << 20);
    for (std::uint64_t row = 0; row < view->size(); ++row) EXPECT_FALSE(cache.with(row, figures_));
    EXPECT_EQ(inputs_.reads, 0);
  }
}

TEST_F(ViewBlocks, ChangeNoImage) {
  Rows shuffled;
  for (std::uint64_t i = 0; i < 384; ++i) shuffled.push_back(i * 151 % 384);
  const std::vector<Rows> all{every(2, 0, 384), every(3, 1, 384), shuffled, every(17, 0, 384)};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto view = view_of(*store_, "view" + std::to_string(i), all[i]);
    std::vector<std::vector<std::uint8_t>> by_block, one_by_one;
    reads_per_image(view, &by_block);
    reads_per_image(view, &one_by_one, 0);
    EXPECT_EQ(by_block, one_by_one) << i;
  }
}

TEST_F(ViewBlocks, AcrossALostShardLeaveTheirRowsToBeReadAlone) {
  view_of(*store_, "half", every(2, 0, 384));
  std::filesystem::remove(here_ / "store" / store_->shards()[1].file);
  const auto view = open("half", {1});
  BlockCache cache(*view, 48, 1 << 20);  // rows 48..95 lie in shards 0 and 1
  std::vector<std::byte> image;
  EXPECT_FALSE(cache.with(50, figures_));
  view->fetch(50, image, figures_);
  EXPECT_EQ(image, images_[100]);
  EXPECT_THROW(view->fetch(70, image, figures_), ShardUnreadable);
  EXPECT_TRUE(cache.with(10, figures_));
}

}  // namespace
}  // namespace facemae
