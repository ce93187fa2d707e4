#include "data/upkeep/stage.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "data/store/checked_note.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using testing_stores::make_store;
using testing_stores::TemporaryFolder;

class StageShardTest : public ::testing::Test {
 protected:
  StageShardTest() : store_(make_store(here_ / "store", {20, 20})), to_(here_ / "disk") {
    fs::create_directories(to_);
  }
  const ShardInfo& shard(std::size_t i) const { return store_->shards()[i]; }
  StageResult stage(std::size_t i) { return stage_shard(real_files(), here_ / "store", shard(i), to_); }
  TemporaryFolder here_;
  std::shared_ptr<const Store> store_;
  Path to_;
};

TEST_F(StageShardTest, CopiesOnceAndKnowsItsOwnCopy) {
  for (const bool copied : {true, false}) {
    const StageResult result = stage(1);
    EXPECT_EQ(result.copied, copied);
    EXPECT_EQ(result.bytes, fs::file_size(here_ / "store" / shard(1).file));
  }
  EXPECT_EQ(read_file(to_ / shard(1).file), read_file(here_ / "store" / shard(1).file));
  EXPECT_EQ(std::distance(fs::directory_iterator(to_), {}), 2) << "the copy and the folder of notes";
}

TEST_F(StageShardTest, ReplacesADamagedAndATornCopy) {
  const std::string good = read_file(here_ / "store" / shard(0).file);
  write_durably(real_files(), to_ / shard(0).file, good.substr(0, good.size() / 2));
  write_durably(real_files(), (to_ / shard(0).file).string() + ".tmp", std::string("left by a killed start"));
  EXPECT_TRUE(stage(0).copied);
  EXPECT_EQ(read_file(to_ / shard(0).file), good);
}

TEST_F(StageShardTest, RefusesDamageInImagesIndexAndSealAndLeavesNothing) {
  const Path path = here_ / "store" / shard(0).file;
  for (const std::uint64_t byte : {shard(0).blob_offset + 5, std::uint64_t{40}, fs::file_size(path) - 10}) {
    test_images::flip_bit(path, byte);
    EXPECT_THROW(stage(0), DataError) << byte;
    EXPECT_TRUE(fs::is_empty(to_)) << byte;
    test_images::flip_bit(path, byte);
  }
  EXPECT_TRUE(stage(0).copied);
}

/// As two processes that wrote into one file can leave it: the seal at its end is right, a stretch is zeros.
TEST_F(StageShardTest, FindsAHoleUnderARightSealOnce) {
  const Path copy = to_ / shard(0).file;
  const std::string good = read_file(here_ / "store" / shard(0).file);
  std::string holed = good;
  holed.replace(shard(0).blob_offset + 5, 20, 20, '\0');
  write_durably(real_files(), copy, holed);
  EXPECT_FALSE(is_checked(copy));
  EXPECT_TRUE(stage(0).copied);
  EXPECT_EQ(read_file(copy), good);
  EXPECT_TRUE(is_checked(copy));
  fs::remove_all(to_ / kCheckedFolder);
  EXPECT_FALSE(stage(0).copied) << "it is read and found good";
  EXPECT_TRUE(is_checked(copy));
  write_durably(real_files(), copy, holed);
  EXPECT_FALSE(is_checked(copy)) << "another file has its name now";
  EXPECT_TRUE(stage(0).copied);
  EXPECT_EQ(read_file(copy), good);
}

TEST_F(StageShardTest, FindsAHoleInWhatLiesBesideTheShards) {
  const auto stage_all = [&] {
    const StagePlan plan = plan_stage(real_files(), here_ / "store", here_ / "node");
    const auto shards = stage_shards(real_files(), plan, 0, 1, false);
    const auto rest = finish_stage(real_files(), plan);
    return shards.copied_files + rest.copied_files;
  };
  EXPECT_GT(stage_all(), 2u);
  EXPECT_EQ(stage_all(), 0u);
  for (const char* name : {"identities.h5", "manifest.h5"}) {
    const Path copy = here_ / "node/store" / name;
    const std::string good = read_file(copy);
    std::string holed = good;
    holed.replace(holed.size() / 2, 8, 8, '\x5a');
    write_durably(real_files(), copy, holed);
    EXPECT_EQ(stage_all(), 1u) << name;
    EXPECT_EQ(read_file(copy), good) << name;
  }
}

TEST_F(StageShardTest, RefusesTheShardOfAnotherStore) {
  ShardInfo other = shard(0);
  other.index_digest.low ^= 1;
  EXPECT_THROW(stage_shard(real_files(), here_ / "store", other, to_), DataError);
  EXPECT_TRUE(fs::is_empty(to_));
}

TEST_F(StageShardTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const auto result = stage_shard(real_files(), here_ / "store", shard(0), to_, source.get_token());
  EXPECT_FALSE(result.copied);
  EXPECT_EQ(result.bytes, 0u);
  EXPECT_TRUE(fs::is_empty(to_));
}

}  // namespace
}  // namespace facemae
