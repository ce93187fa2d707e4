#include "data/store/store_facts.h"

#include <gtest/gtest.h>

#include "data/upkeep/store_tools.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using testing_stores::make_store;
using testing_stores::TemporaryFolder;

TEST(StoreFacts, TellWhatIsInAStoreAndInAView) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {3, 20, 5, 12});
  const StoreFacts facts = facts_of_store(folder / "store");
  EXPECT_FALSE(facts.view);
  EXPECT_EQ(facts.images, 40u);
  EXPECT_EQ(facts.identities, 4);
  EXPECT_EQ(facts.image_size, 16);
  EXPECT_EQ(facts.shards, 3u);
  EXPECT_EQ(facts.fewest, 3u);
  EXPECT_EQ(facts.median, 12u);
  EXPECT_EQ(facts.most, 20u);
  EXPECT_EQ(facts.codec, "jpeg");
  EXPECT_EQ(facts.subsampling, (std::map<std::string, std::uint64_t>{{"4:4:4", 16}}));
  std::uint64_t bytes = 0;
  for (const auto& shard : store->shards()) bytes += shard.bytes;
  EXPECT_EQ(facts.bytes, bytes);
  EXPECT_DOUBLE_EQ(facts.mean_image_bytes(), static_cast<double>(bytes) / 40);
  EXPECT_EQ(facts.dataset_digest, store->dataset_digest().hex());

  select_from_store(real_files(), *store, {.identities = {true, false, true, false}}, folder / "views/a");
  const StoreFacts view = facts_of_store(folder / "views/a");
  EXPECT_TRUE(view.view);
  EXPECT_EQ(view.parent, folder / "store");
  EXPECT_EQ(view.images, 8u);
  EXPECT_EQ(view.most, 5u);
  EXPECT_EQ(view.shard_images, 40u);
}

}  // namespace
}  // namespace facemae
