#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test_images::contents;
using testing_stores::make_store;
using testing_stores::TemporaryFolder;

class RepairStoreTest : public ::testing::Test {
 protected:
  RepairStoreTest() : store_(make_store(here_ / "store", {20, 20})), meant_(contents(here_ / "store")) {
    fs::copy(here_ / "store", here_ / "other");
  }
  Path file(const std::string& name) const { return here_ / "store" / name; }
  RepairResult repair() {
    return repair_store(real_files(), here_ / "store", here_ / "other", verify_store(here_ / "store"));
  }
  TemporaryFolder here_;
  std::shared_ptr<const Store> store_;
  std::map<std::string, std::string> meant_;
};

TEST_F(RepairStoreTest, RestoresImagesShardsAndCompanionsByteForByte) {
  test_images::flip_bit(file(shard_name(0)), store_->shards()[0].blob_offset + 9);
  fs::remove(file(shard_name(1)));
  fs::resize_file(file(shard_name(2)), 1000);
  test_images::flip_bit(file("manifest.json"), 40);
  test_images::flip_bit(file("identities.h5"), 900);
  const auto result = repair();
  EXPECT_TRUE(result.still.good());
  EXPECT_EQ(result.restored, (std::vector<std::string>{"identities.h5", "manifest.json", shard_name(0),
                                                       shard_name(1), shard_name(2)}));
  EXPECT_EQ(contents(here_ / "store"), meant_);
}

TEST_F(RepairStoreTest, SaysWhatTheOtherCopyCannotRestore) {
  fs::remove(file(shard_name(0)));
  fs::remove(file(shard_name(1)));
  test_images::flip_bit(here_ / "other" / shard_name(1), store_->shards()[1].blob_offset + 9);
  const auto result = repair();
  EXPECT_EQ(result.restored, std::vector<std::string>{shard_name(0)});
  ASSERT_EQ(result.still.files.size(), 1U);
  EXPECT_EQ(result.still.files[0].file, shard_name(1));
  EXPECT_NE(result.still.files[0].reason.find("could not be restored"), std::string::npos);
  EXPECT_FALSE(fs::exists(file(shard_name(1))));
}

TEST_F(RepairStoreTest, RefusesAnotherStore) {
  make_store(here_ / "foreign", {20, 21});
  fs::remove(file(shard_name(0)));
  const auto report = verify_store(here_ / "store");
  EXPECT_THROW(repair_store(real_files(), here_ / "store", here_ / "foreign", report), DataError);
  test_images::flip_bit(file("manifest.h5"), 100);
  EXPECT_THROW(repair_manifest(real_files(), here_ / "store", here_ / "foreign"), DataError);
}

TEST_F(RepairStoreTest, RestoresAManifestThatItsReadableCopyKnows) {
  EXPECT_FALSE(repair_manifest(real_files(), here_ / "store", here_ / "other"));
  test_images::flip_bit(file("manifest.h5"), 100);
  EXPECT_TRUE(repair_manifest(real_files(), here_ / "store", here_ / "other"));
  EXPECT_EQ(contents(here_ / "store"), meant_);
  fs::remove(file("manifest.h5"));
  write_durably(real_files(), file("manifest.json"), std::string("{"));
  EXPECT_THROW(repair_manifest(real_files(), here_ / "store", here_ / "other"), DataError);
}

TEST_F(RepairStoreTest, OfAViewLeavesItsParentToAnotherRepair) {
  select_from_store(real_files(), *store_, {.identities = {true, false}}, here_ / "view");
  fs::copy(here_ / "view", here_ / "view2");
  test_images::flip_bit(here_ / "view/view.h5", 700);
  test_images::flip_bit(file(shard_name(0)), 40);
  const auto result =
      repair_store(real_files(), here_ / "view", here_ / "view2", verify_store(here_ / "view"));
  EXPECT_EQ(result.restored, std::vector<std::string>{"view.h5"});
  ASSERT_EQ(result.still.files.size(), 1U);
  EXPECT_NE(result.still.files[0].reason.find("repair " + (here_ / "store").string() + " itself"),
            std::string::npos);
}

}  // namespace
}  // namespace facemae
