#include "data/store/people_key.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using test::TemporaryFolder;
using testing_stores::make_store;

TEST(PeopleKey, IsOneForAStoreAndAllItsViewsAndStays) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "s", {2, 2, 2, 2}), other = make_store(folder / "o", {2, 2});
  split_store(real_files(), *store, 0.5, 1, folder / "a", folder / "b");
  const auto a = Store::open(folder / "a"), b = Store::open(folder / "b");
  EXPECT_FALSE(people_key(*a));
  const auto key = make_people_key(*a);
  ASSERT_TRUE(key);
  EXPECT_EQ(people_key(*b), key);
  EXPECT_EQ(make_people_key(*store), key);
  EXPECT_NE(make_people_key(*other), key);
  EXPECT_TRUE(verify_store(folder / "s").strays.empty()) << "it belongs to the store";
  copy_people_key(*store, *other);
  EXPECT_NE(people_key(*other), key) << "a key is never replaced";

  write_whole(real_files(), folder / "s" / kPeopleKeyName, "torn");
  EXPECT_THROW(people_key(*store), DataError);
}

}  // namespace
}  // namespace facemae
