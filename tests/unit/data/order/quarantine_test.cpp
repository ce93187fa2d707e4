#include "data/order/quarantine.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/error.h"

namespace facemae {
namespace {

constexpr std::uint64_t kRows = 400, kShardRows = 100;
std::size_t shard_of(std::uint64_t row) { return row / kShardRows; }
Quarantine none() { return Quarantine(Order(kRows, 3), 3, shard_of); }

TEST(Quarantine, LeavesTheOrderAloneWhenEmpty) {
  const Order order(kRows, 3);
  for (std::uint64_t ordinal = 0; ordinal < 3 * kRows; ++ordinal)
    EXPECT_EQ(none().row_for(ordinal), order.row(ordinal));
}

TEST(Quarantine, SubstitutesRowsOfItsShardsFromTheirOrdinalOnAndNoOthers) {
  const Order order(kRows, 3);
  auto quarantine = none();
  quarantine.add({.shard = 2, .from_ordinal = 150});
  quarantine.add({.shard = 0, .from_ordinal = 600});
  int substituted = 0;
  for (std::uint64_t ordinal = 0; ordinal < 3 * kRows; ++ordinal) {
    const auto own = order.row(ordinal), row = quarantine.row_for(ordinal);
    const bool lost = (shard_of(own) == 2 && ordinal >= 150) || (shard_of(own) == 0 && ordinal >= 600);
    if (lost) {
      ++substituted;
      EXPECT_NE(shard_of(row), 2U);
      EXPECT_TRUE(shard_of(row) != 0 || ordinal < 600);
    } else {
      EXPECT_EQ(row, own);
    }
  }
  EXPECT_GT(substituted, 300);
}

TEST(Quarantine, DoesNotDependOnTheSequenceOfItsEntries) {
  auto a = none(), b = none();
  a.add({1, 50});
  a.add({3, 20});
  b.add({3, 20});
  b.add({1, 70});
  b.add({1, 50});
  b.add({1, 60});
  EXPECT_EQ(a.entries(), b.entries());
  for (std::uint64_t ordinal = 0; ordinal < 2 * kRows; ++ordinal)
    for (int attempt = 0; attempt < 3; ++attempt)
      EXPECT_EQ(a.row_for(ordinal, attempt), b.row_for(ordinal, attempt));
}

TEST(Quarantine, NeverTriesARowTwiceAndSaysWhenNoneIsLeft) {
  auto quarantine = none();
  quarantine.add({1, 0});
  for (const std::uint64_t ordinal : {0U, 1U, 17U, 999U}) {
    std::set<std::uint64_t> tried;
    for (int attempt = 0; attempt < static_cast<int>(kRows - kShardRows); ++attempt) {
      const auto row = quarantine.row_for(ordinal, attempt);
      EXPECT_NE(shard_of(row), 1U);
      EXPECT_TRUE(tried.insert(row).second);
    }
    EXPECT_THROW((void)quarantine.row_for(ordinal, static_cast<int>(kRows - kShardRows)), DataError);
  }
  for (std::size_t shard = 0; shard < 4; ++shard) quarantine.add({shard, 0});
  EXPECT_THROW((void)quarantine.row_for(5), DataError);
}

TEST(Quarantine, SpreadsSubstitutesOverTheHealthyShards) {
  auto quarantine = none();
  quarantine.add({1, 0});
  const Order order(kRows, 3);
  std::map<std::size_t, int> of_shard;
  int all = 0;
  for (std::uint64_t ordinal = 0; ordinal < 60 * kRows; ++ordinal)
    if (shard_of(order.row(ordinal)) == 1) {
      ++of_shard[shard_of(quarantine.row_for(ordinal))];
      ++all;
    }
  for (const auto& [shard, count] : of_shard) EXPECT_NEAR(count, all / 3.0, all / 30.0) << shard;
}

}  // namespace
}  // namespace facemae
