#include "data/upkeep/store_verify.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using testing_stores::make_store;
using testing_stores::TemporaryFolder;

class VerifyStoreTest : public ::testing::Test {
 protected:
  VerifyStoreTest() : store_(make_store(here_ / "store", {20, 20})) {}  // 40 rows in shards of 16
  Path file(const std::string& name) const { return here_ / "store" / name; }
  TemporaryFolder here_;
  std::shared_ptr<const Store> store_;
};

TEST_F(VerifyStoreTest, FindsNothingInAGoodStore) {
  const auto report = verify_store(here_ / "store");
  EXPECT_TRUE(report.good());
  EXPECT_TRUE(report.strays.empty());
}

TEST_F(VerifyStoreTest, NamesEachDamagedImageInItsPartOnly) {
  const std::uint64_t rows[] = {3, 9, 21};
  for (const std::uint64_t row : rows) {
    const ShardInfo& shard = store_->shards()[row / 16];
    const ShardIndex index = read_shard(file(shard.file));
    test_images::flip_bit(file(shard.file), index.info.blob_offset + index.offsets[row % 16] + 50);
  }
  const auto report = verify_store(here_ / "store");
  EXPECT_TRUE(report.files.empty());
  ASSERT_EQ(report.images.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(report.images[i].row, rows[i]);
    EXPECT_EQ(report.images[i].index, rows[i] % 16);
    EXPECT_EQ(report.images[i].shard, shard_name(rows[i] / 16));
    EXPECT_NE(report.images[i].reason.find("CRC-32C"), std::string::npos);
  }
  EXPECT_EQ(verify_store(here_ / "store", 0, 2).images.size(), 2U);
  EXPECT_EQ(verify_store(here_ / "store", 1, 2).images.size(), 1U);
  EXPECT_THROW(verify_store(here_ / "store", 2, 2), ConfigError);
}

TEST_F(VerifyStoreTest, ListsMissingTruncatedAndSwappedShardsAtOnce) {
  fs::resize_file(file(shard_name(0)), fs::file_size(file(shard_name(0))) / 2);
  fs::copy_file(file(shard_name(1)), file(shard_name(2)), fs::copy_options::overwrite_existing);
  fs::remove(file(shard_name(1)));
  const auto report = verify_store(here_ / "store");
  ASSERT_EQ(report.files.size(), 3U);
  const char* reasons[] = {"truncated", "missing", "not the shard"};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(report.files[i].file, shard_name(i));
    EXPECT_EQ(report.files[i].folder, here_ / "store");
    EXPECT_NE(report.files[i].reason.find(reasons[i]), std::string::npos) << report.files[i].reason;
  }
}

TEST_F(VerifyStoreTest, ChecksWhatLiesBesideTheShardsAndListsStrays) {
  test_images::flip_bit(file("manifest.json"), 10);
  fs::remove(file("identities.h5"));
  write_durably(real_files(), file("shard-00007.h5"), std::string("left by somebody"));
  const auto report = verify_store(here_ / "store");
  ASSERT_EQ(report.files.size(), 2U);
  EXPECT_EQ(report.files[0].file, "manifest.json");
  EXPECT_EQ(report.files[1].file, "identities.h5");
  EXPECT_EQ(report.strays, std::vector<Path>{file("shard-00007.h5")});
  EXPECT_TRUE(verify_store(here_ / "store", 1, 2).files.empty());
}

TEST_F(VerifyStoreTest, NamesADamagedManifestAndThrowsWhenThereIsNoStore) {
  test_images::flip_bit(file("manifest.h5"), 100);
  const auto report = verify_store(here_ / "store");
  ASSERT_EQ(report.files.size(), 1U);
  EXPECT_EQ(report.files[0].file, "manifest.h5");
  EXPECT_THROW(verify_store(here_ / "nowhere"), ConfigError);
}

TEST_F(VerifyStoreTest, ReadsTheParentOfAView) {
  select_from_store(real_files(), *store_, {.identities = {true, false}}, here_ / "view");
  EXPECT_TRUE(verify_store(here_ / "view").good());
  test_images::flip_bit(file(shard_name(1)), store_->shards()[1].blob_offset);
  test_images::flip_bit(here_ / "view/view.h5", 700);
  const auto report = verify_store(here_ / "view");
  ASSERT_EQ(report.images.size(), 1U);
  EXPECT_EQ(report.images[0].row, 16U);
  ASSERT_EQ(report.files.size(), 1U);
  EXPECT_EQ(report.files[0].file, "view.h5");
  EXPECT_EQ(report.files[0].folder, here_ / "view");
  fs::remove_all(here_ / "store");
  EXPECT_NE(verify_store(here_ / "view").files[0].reason.find("is missing: the parent"), std::string::npos);
}

}  // namespace
}  // namespace facemae
