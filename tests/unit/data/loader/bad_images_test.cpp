#include "data/loader/bad_images.h"

#include <gtest/gtest.h>

#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

class Bad : public testing::Test {
 protected:
  test::TemporaryFolder here_;
  std::shared_ptr<const Store> store_ = testing_stores::make_store(here_ / "store", {20, 20});
};

TEST_F(Bad, ImagesAreBorneUpToAFewOrAFraction) {
  BadImages bad(*store_, 0.1);
  for (int i = 0; i < 40; ++i) bad.count_read();
  // The same one again and again is one bad image.
  for (int i = 0; i < 10; ++i) EXPECT_NO_THROW(bad.note(0, 1, DataError("x")));
  for (std::uint64_t row = 1; row < 4; ++row) EXPECT_NO_THROW(bad.note(row, 1, DataError("x"))) << row;
  EXPECT_THROW(bad.note(4, 1, DataError("x")), DataError) << "5 of 40 are more than a tenth";
}

TEST_F(Bad, ImagesOfASetReadManyTimesAreMeasuredByTheSet) {
  BadImages bad(*store_, 0.1);
  for (int i = 0; i < 4000; ++i) bad.count_read();
  for (std::uint64_t row = 0; row < 4; ++row) EXPECT_NO_THROW(bad.note(row, 1, DataError("x")));
  EXPECT_THROW(bad.note(4, 1, DataError("x")), DataError);
}

TEST_F(Bad, ShardsAreReportedOnce) {
  BadImages bad(*store_, 0);
  for (std::uint64_t row = 0; row < 20; ++row)
    bad.note(row, row, ShardUnreadable(row / 16, FileError("gone", ENOENT)));
  const auto failures = bad.take_failures();
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[1].shard, 1u);
  EXPECT_EQ(failures[1].reason, "gone");
  EXPECT_TRUE(bad.take_failures().empty());
}

}  // namespace
}  // namespace facemae
