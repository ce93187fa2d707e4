#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "data/store/manifest.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using testing_stores::make_store;
using testing_stores::planted_name;
using testing_stores::TemporaryFolder;

class CompactStoreTest : public ::testing::Test {
 protected:
  CompactStoreTest() : store_(make_store(here_ / "store", {20, 20, 8})) {
    select_from_store(real_files(), *store_, {.identities = {true, false, true}}, here_ / "view");
    view_ = Store::open(here_ / "view");
  }
  TemporaryFolder here_;
  std::shared_ptr<const Store> store_, view_;
};

TEST_F(CompactStoreTest, HoldsTheViewsImagesInShardsOfItsOwn) {
  compact_store(real_files(), here_ / "view", here_ / "out");
  view_.reset();
  std::vector<std::byte> mine, theirs;
  const auto out = Store::open(here_ / "out");
  const auto view = Store::open(here_ / "view");
  ASSERT_EQ(out->size(), 28u);
  EXPECT_EQ(out->identities(), 2);
  EXPECT_EQ(out->identity_name(1), planted_name(2));
  EXPECT_EQ(out->source_licence(), "for research only");
  for (std::uint64_t row = 0; row < out->size(); ++row) {
    out->read(row, mine);
    view->read(row, theirs);
    EXPECT_EQ(mine, theirs);
    EXPECT_EQ(out->label(row), view->label(row));
  }
  const auto keys = read_shard(here_ / "out" / out->shards()[1].file).source_keys.values();
  EXPECT_EQ(std::count(keys.begin(), keys.end(), testing_stores::planted_key(17)), 1);
  fs::remove_all(here_ / "store");
  fs::remove_all(here_ / "view");
  EXPECT_TRUE(verify_store(here_ / "out").good());
}

TEST_F(CompactStoreTest, KeepsNothingOfTheRemovedPerson) {
  compact_store(real_files(), here_ / "view", here_ / "out");
  std::vector<std::byte> image;
  for (const auto& [name, bytes] : test_images::contents(here_ / "out")) {
    EXPECT_EQ(bytes.find(planted_name(1)), std::string::npos) << name;
    for (const std::uint64_t row : store_->rows_of(1)) {
      store_->read(row, image);
      const std::string text(reinterpret_cast<const char*>(image.data()), image.size());
      EXPECT_EQ(bytes.find(text), std::string::npos) << name;
      const std::uint64_t key = testing_stores::planted_key(row);
      EXPECT_EQ(bytes.find(std::string(reinterpret_cast<const char*>(&key), 8)), std::string::npos) << name;
    }
  }
}

TEST_F(CompactStoreTest, GoesOnWhereAKilledStartStopped) {
  compact_store(real_files(), here_ / "view", here_ / "undisturbed");
  const auto meant = test_images::contents(here_ / "undisturbed");
  int kills = 0;
  for (int fatal = 1;; fatal += 2) {
    fs::remove_all(here_ / "out");
    test_images::DyingFiles dying(fatal);
    try {
      compact_store(dying, here_ / "view", here_ / "out");
    } catch (const FileError&) {
      ++kills;
    }
    compact_store(real_files(), here_ / "view", here_ / "out");
    ASSERT_EQ(test_images::contents(here_ / "out"), meant) << "killed at operation " << fatal;
    if (!dying.died()) break;
  }
  EXPECT_GT(kills, 5);
}

TEST_F(CompactStoreTest, StopsAtABadImageOrLeavesItOutWhenTold) {
  const auto damage = [&](std::uint64_t view_row) {                 // the image's last byte
    const std::uint64_t row = view_row / 2 * 3 + view_row % 2 * 2;  // of the store: people 0, 1, 2 in turn
    const auto& shard = store_->shards()[row / 16];
    const Path file = here_ / "store" / shard.file;
    test_images::flip_bit(file, shard.blob_offset + read_shard(file).offsets[row % 16 + 1] - 1);
    return row;
  };
  const std::uint64_t row = damage(5);
  ASSERT_EQ(store_->label(row), view_->label(5) * 2);
  try {
    compact_store(real_files(), here_ / "view", here_ / "out");
    ADD_FAILURE();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("--skip-bad"), std::string::npos) << error.what();
  }
  for (int start = 0; start < 2; ++start)  // the second one finds it done
    EXPECT_EQ(compact_store(real_files(), here_ / "view", here_ / "out", {.skip_bad = true}), 1u);
  const std::string rejects = read_file(here_ / "out" / "rejects.csv");
  EXPECT_NE(rejects.find("row 5 of "), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("cannot be read: "), std::string::npos) << rejects;
  const auto out = Store::open(here_ / "out");
  EXPECT_EQ(out->size(), 27u);
  std::vector<std::byte> mine, theirs;
  for (std::uint64_t at = 0; at < out->size(); ++at) {
    out->read(at, mine);
    view_->read(at + (at >= 5), theirs);
    EXPECT_EQ(mine, theirs);
    EXPECT_EQ(out->label(at), view_->label(at + (at >= 5)));
  }
  EXPECT_TRUE(verify_store(here_ / "out").good());
}

TEST_F(CompactStoreTest, WithBadImagesGoesOnWhereAKilledStartStopped) {
  const auto& shard = store_->shards()[0];
  test_images::flip_bit(here_ / "store" / shard.file, shard.blob_offset);
  compact_store(real_files(), here_ / "view", here_ / "undisturbed", {.skip_bad = true});
  const auto meant = test_images::contents(here_ / "undisturbed");
  for (int fatal = 1;; fatal += 4) {
    fs::remove_all(here_ / "out");
    test_images::DyingFiles dying(fatal);
    try {
      compact_store(dying, here_ / "view", here_ / "out", {.skip_bad = true});
    } catch (const FileError&) {
    }
    compact_store(real_files(), here_ / "view", here_ / "out", {.skip_bad = true});
    ASSERT_EQ(test_images::contents(here_ / "out"), meant) << "killed at operation " << fatal;
    if (!dying.died()) break;
  }
}

TEST_F(CompactStoreTest, RefusesAViewOfWhichNothingCanBeRead) {
  const auto& shard = store_->shards()[0];
  const ShardIndex index = read_shard(here_ / "store" / shard.file);
  for (std::uint64_t i = 0; i < shard.images; ++i)
    test_images::flip_bit(here_ / "store" / shard.file, shard.blob_offset + index.offsets[i]);
  write_view(real_files(), here_ / "first", *store_, {0, 1, 2}, {0, 0, 0}, 1, {"one"});
  EXPECT_THROW(compact_store(real_files(), here_ / "first", here_ / "out", {.skip_bad = true}), DataError);
}

TEST_F(CompactStoreTest, RefusesWhatIsNoViewAndAnotherStoresFolder) {
  EXPECT_THROW(compact_store(real_files(), here_ / "store", here_ / "out"), ConfigError);
  EXPECT_THROW(compact_store(real_files(), here_ / "view", here_ / "store"), ConfigError);
}

}  // namespace
}  // namespace facemae
