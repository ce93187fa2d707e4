#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using testing_stores::make_store;
using testing_stores::TemporaryFolder;

TEST(Pairs, AreHalfSameAndDistinctWithIdentityDisjointFolds) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {4, 3, 5, 4, 4, 3, 6, 4, 5, 3, 4, 1});
  const PairList list = make_pairs(*store, 3, 60, 9);
  ASSERT_EQ(list.pairs.size(), 60U);
  EXPECT_EQ(list.folds, 3);
  std::map<std::int64_t, std::size_t> fold_of;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (std::size_t i = 0; i < list.pairs.size(); ++i) {
    const Pair& pair = list.pairs[i];
    EXPECT_EQ(pair.same, i % 2 == 0);
    EXPECT_NE(pair.a, pair.b);
    EXPECT_EQ(store->label(pair.a) == store->label(pair.b), pair.same);
    EXPECT_TRUE(seen.emplace(std::min(pair.a, pair.b), std::max(pair.a, pair.b)).second);
    for (const std::uint64_t row : {pair.a, pair.b}) {
      EXPECT_EQ(fold_of.emplace(store->label(row), i / 20).first->second, i / 20)
          << "an identity is in two folds";
    }
  }
  const PairList again = make_pairs(*store, 3, 60, 9), other = make_pairs(*store, 3, 60, 10);
  const auto rows = [](const PairList& l) {
    std::vector<std::uint64_t> all;
    for (const Pair& pair : l.pairs) all.insert(all.end(), {pair.a, pair.b});
    return all;
  };
  EXPECT_EQ(rows(again), rows(list));
  EXPECT_NE(rows(other), rows(list));
}

TEST(Pairs, UseEveryPairWhenAllAreAskedFor) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {4, 3});  // 9 same pairs, 12 different
  EXPECT_EQ(make_pairs(*store, 1, 18, 1).pairs.size(), 18U);
  EXPECT_THROW(make_pairs(*store, 1, 20, 1), ConfigError);
  EXPECT_THROW(make_pairs(*store, 2, 4, 1), ConfigError);
}

TEST(Pairs, AreFoundWithoutStartingAnewForEachThatIsLeft) {
  const TemporaryFolder folder;
  auto picture = testing_stores::tiny_picture(1);
  const auto store = make_store(folder / "store", {150, 150}, 300,
                                [&](std::uint64_t) { return picture; });  // 22,350 same pairs
  const auto start = std::chrono::steady_clock::now();
  const PairList list = make_pairs(*store, 1, 44700, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (const Pair& pair : list.pairs) seen.emplace(std::min(pair.a, pair.b), std::max(pair.a, pair.b));
  EXPECT_EQ(seen.size(), 44700U);
}

TEST(Pairs, AreWrittenOnePerLine) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {4, 3, 5, 4});
  const PairList list = make_pairs(*store, 2, 12, 1);
  const Path path = folder / "pairs.txt";
  write_pairs(real_files(), path, list, *store);
  EXPECT_EQ(
      read_file(path).rfind("# facemae pairs: folds 2, store " + store->dataset_digest().hex() + "\n", 0),
      0U);
  const std::string text = read_file(path);
  for (const Pair& pair : list.pairs)
    EXPECT_NE(
        text.find(std::to_string(pair.a) + " " + std::to_string(pair.b) + (pair.same ? " 1\n" : " 0\n")),
        std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 13) << "a heading and the pairs";
}

}  // namespace
}  // namespace facemae
