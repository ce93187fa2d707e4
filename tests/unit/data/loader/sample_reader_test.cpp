#include "data/loader/sample_reader.h"

#include <gtest/gtest.h>

#include "data/loader/loader.h"
#include "tests/unit/data/image/faulty_inputs.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using namespace std::chrono_literals;
using test::failing;
using test::flipped;
using test::kAlways;

const ReadPolicy kGivesUpSoon{.first_pause = 1ms, .longest_pause = 2ms, .give_up_after = 10ms};

/// Three shards of 16 images, one of whose faults a loader meets.
class ReadingSamples : public testing::Test {
 protected:
  ReadingSamples() {
    testing_stores::make_store(here_ / "store", {12, 12, 12, 12});
    store_ = Store::open(here_ / "store", inputs_, kGivesUpSoon);
  }
  Path file(std::size_t shard) const { return here_ / "store" / store_->shards()[shard].file; }
  /// Rows and pixels of an epoch, by threads and world.
  std::pair<std::vector<std::uint64_t>, std::vector<std::uint8_t>> epoch(
      int threads, int world, std::vector<ShardFailure>* failed = nullptr) {
    std::pair<std::vector<std::uint64_t>, std::vector<std::uint8_t>> all;
    std::vector<std::unique_ptr<Loader>> loaders;
    loaders.reserve(static_cast<std::size_t>(world));
    store_ = Store::open(here_ / "store", inputs_, kGivesUpSoon);  // forgets which shards had failed
    for (int rank = 0; rank < world; ++rank)
      loaders.push_back(std::make_unique<Loader>(store_, Order(48, 9), BatchPlan{8, 1, world}, rank, 0,
                                                 LoaderConfig{.threads = threads, .ahead = 2}));
    for (int step = 0; step < 6; ++step)
      for (auto& loader : loaders) {
        const auto batch = loader->next();
        all.first.insert(all.first.end(), batch->rows.begin(), batch->rows.end());
        all.second.insert(all.second.end(), batch->pixels.begin(), batch->pixels.end());
      }
    for (auto& loader : loaders) {
      figures_.add(loader->figures());
      if (failed != nullptr)
        for (auto& failure : loader->failed_shards()) failed->push_back(failure);
    }
    return all;
  }
  std::uint64_t offset_of(std::uint64_t row) {  // within its shard's file
    const auto& shard = store_->shards()[store_->shard_of(row)];
    return shard.blob_offset + read_shard(here_ / "store" / shard.file).offsets[row - shard.first_global];
  }
  test::TemporaryFolder here_;
  test::FaultyInputs inputs_;
  std::shared_ptr<const Store> store_;
  LoaderFigures figures_;
};

TEST_F(ReadingSamples, ADamagedImageIsStoodInForAlikeEverywhere) {
  const auto whole = epoch(1, 1);
  inputs_.set(file(1), flipped(offset_of(20) + 30));
  const auto damaged = epoch(1, 1);
  EXPECT_EQ(std::count(damaged.first.begin(), damaged.first.end(), 20), 0);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < 48; ++i) changed += damaged.first[i] != whole.first[i];
  EXPECT_EQ(changed, 1u);
  EXPECT_GE(figures_.substituted, 1u);  // more when the loader was well ahead, in the next epoch
  EXPECT_GE(figures_.reads.rereads, 1u);
  for (const int threads : {2, 4}) EXPECT_EQ(epoch(threads, 1), damaged);
  for (const int world : {2, 3}) EXPECT_EQ(epoch(2, world), damaged);
}

TEST_F(ReadingSamples, AnUnreadableShardIsStoodInForReportedOnceAndNotCountedAsBad) {
  inputs_.set(file(1), failing(EIO, kAlways));
  std::vector<ShardFailure> failed;
  const auto without = epoch(1, 1, &failed);
  for (const std::uint64_t row : without.first) EXPECT_NE(store_->shard_of(row), 1u);
  EXPECT_GE(figures_.substituted, 16u) << "more than --max-bad-fraction would bear of bad images";
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].shard, 1u);
  EXPECT_FALSE(failed[0].reason.empty());
  EXPECT_EQ(epoch(4, 1), without);
  EXPECT_EQ(epoch(2, 3), without);
  // A rank that can still read it does the same once the shard is in quarantine.
  inputs_.heal(file(1));
  store_ = Store::open(here_ / "store", inputs_, kGivesUpSoon);
  Loader loader(store_, Order(48, 9), {8, 1, 1}, 0, 0,
                {.threads = 2, .ahead = 2, .quarantined = {{.shard = 1, .from_ordinal = 0}}});
  for (std::size_t step = 0; step < 6; ++step) {
    const auto batch = loader.next();
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(batch->rows[i], without.first[step * 8 + i]);
  }
}

TEST_F(ReadingSamples, AnImageThatDoesNotDecodeIsStoodInForToo) {
  // As if it had been stored so: the bytes are wrong and their CRC-32C is right.
  class Undecodable final : public Store {
   public:
    Undecodable(std::shared_ptr<const Store> inner, std::uint64_t row)
        : inner_(std::move(inner)), row_(row) {}
    const Path& folder() const noexcept override { return inner_->folder(); }
    std::uint64_t size() const noexcept override { return inner_->size(); }
    std::int64_t identities() const noexcept override { return inner_->identities(); }
    std::string identity_name(std::int64_t label) const override { return inner_->identity_name(label); }
    std::int64_t label(std::uint64_t row) const override { return inner_->label(row); }
    int image_size() const noexcept override { return inner_->image_size(); }
    void fetch(std::uint64_t row, std::vector<std::byte>& encoded, ReadFigures& figures) const override {
      inner_->fetch(row, encoded, figures);
      if (row == row_) encoded.resize(encoded.size() / 2);
    }
    const std::vector<ShardInfo>& shards() const noexcept override { return inner_->shards(); }
    Hash128 dataset_digest() const noexcept override { return {}; }
    std::string source_licence() const override { return ""; }
    bool released() const noexcept override { return false; }
    std::span<const std::uint64_t> rows_of(std::int64_t) const override { return {}; }

   private:
    std::shared_ptr<const Store> inner_;
    std::uint64_t row_;
  };
  const Undecodable store(store_, 7);
  BadImages bad(store, 1e-5);
  SampleReader reader(store, nullptr, bad, {});
  const Order order(48, 9);
  const Quarantine rows(order, 0, [](std::uint64_t) { return std::size_t{0}; });
  std::vector<std::uint8_t> out(16 * 16 * 3);
  for (std::uint64_t ordinal = 0; ordinal < 48; ++ordinal) {
    const Sample sample = reader.read(ordinal, rows, out);
    EXPECT_EQ(sample.row, rows.row_for(ordinal, order.row(ordinal) == 7 ? 1 : 0));
    EXPECT_EQ(sample.label, store.label(sample.row));
  }
  EXPECT_EQ(reader.take_figures().substituted, 1u);
  EXPECT_EQ(reader.take_figures().images, 0u);
}

TEST_F(ReadingSamples, AReplicaSparesTheStandIn) {
  std::filesystem::copy_file(file(1), here_ / "copy.h5");
  inputs_.set(file(1), failing(ENOENT, kAlways));
  const Order order(48, 9);
  BadImages bad(*store_, 1e-5);
  SampleReader reader(*store_, nullptr, bad, {});
  const Quarantine rows(order, 0, [](std::uint64_t) { return std::size_t{0}; });
  std::vector<std::uint8_t> out(16 * 16 * 3);
  const auto an_epoch = [&] {
    for (std::uint64_t ordinal = 0; ordinal < 48; ++ordinal) reader.read(ordinal, rows, out);
    return reader.take_figures().substituted;
  };
  EXPECT_EQ(an_epoch(), 16u);
  store_->add_replica(1, here_ / "copy.h5");
  EXPECT_EQ(an_epoch(), 0u);
}

}  // namespace
}  // namespace facemae
