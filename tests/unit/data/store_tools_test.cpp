#include "data/store_tools.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "core/error.h"
#include "tests/unit/data/small_store.h"

namespace facemae {
namespace {

using testing_stores::make_store;
using testing_stores::TemporaryFolder;

void flip_byte(const Path& file, std::uint64_t offset) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(stream.get() ^ 0x10);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(byte);
}

TEST(VerifyStore, FindsNothingInAGoodStore) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {7, 9, 5, 12, 8});
  EXPECT_TRUE(verify_store(*store).empty());
}

TEST(VerifyStore, NamesEachDamagedImageInItsPartOnly) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {20, 20});  // 40 rows in shards of 16
  for (const std::uint64_t row : {3U, 9U, 21U}) {
    const ShardInfo& shard = store->shards()[row / 16];
    const ShardIndex index = read_shard(store->folder() / shard.file);
    flip_byte(store->folder() / shard.file, index.info.blob_offset + index.offsets[row % 16] + 50);
  }
  const auto bad = verify_store(*store);
  ASSERT_EQ(bad.size(), 3U);
  const std::uint64_t rows[] = {3, 9, 21};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(bad[i].row, rows[i]);
    EXPECT_EQ(bad[i].index, rows[i] % 16);
    EXPECT_EQ(bad[i].shard, shard_name(rows[i] / 16));
    EXPECT_NE(bad[i].reason.find("CRC-32C"), std::string::npos);
  }
  EXPECT_EQ(verify_store(*store, 0, 2).size(), 2U);
  EXPECT_EQ(verify_store(*store, 1, 2).size(), 1U);
  EXPECT_THROW(verify_store(*store, 2, 2), ConfigError);
}

TEST(VerifyStore, ReportsAShardWithADamagedIndexAsAWhole) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {20, 20});
  const Path shard = folder / ("store/" + store->shards()[1].file);
  std::filesystem::resize_file(shard, std::filesystem::file_size(shard) / 2);
  const auto bad = verify_store(*store);
  ASSERT_EQ(bad.size(), 1U);
  EXPECT_EQ(bad[0].row, 16U);
  EXPECT_NE(bad[0].reason.find("whole shard"), std::string::npos);
}

TEST(SplitStore, IsIdentityDisjointAndComplete) {
  const TemporaryFolder folder;
  const auto parent = make_store(folder / "parent", {3, 4, 5, 6, 7, 8, 9, 1, 2, 3});
  split_store(real_files(), *parent, 0.3, 5, folder / "a", folder / "b");
  const std::shared_ptr<const Store> sides[] = {Store::open(folder / "a"), Store::open(folder / "b")};
  EXPECT_EQ(sides[0]->identities(), 3);
  EXPECT_EQ(sides[1]->identities(), 7);
  EXPECT_EQ(sides[0]->size() + sides[1]->size(), parent->size());

  std::multiset<std::string> expected, found;
  std::map<std::string, int> side_of_name;
  std::vector<std::byte> encoded;
  const auto describe = [&](const Store& store, std::uint64_t row) {
    store.read(row, encoded);
    return store.identity_name(store.label(row)) + " " + xxh128(encoded).hex();
  };
  for (std::uint64_t row = 0; row < parent->size(); ++row) expected.insert(describe(*parent, row));
  for (int side = 0; side < 2; ++side) {
    const Store& store = *sides[side];
    std::string last;
    for (std::int64_t k = 0; k < store.identities(); ++k) {
      const std::string name = store.identity_name(k);
      EXPECT_LT(last, name) << "labels follow the parent's order";
      last = name;
      EXPECT_TRUE(side_of_name.emplace(name, side).second) << name << " is on both sides";
      EXPECT_FALSE(store.rows_of(k).empty());
    }
    for (std::uint64_t row = 0; row < store.size(); ++row) found.insert(describe(store, row));
    EXPECT_TRUE(verify_store(store).empty());
  }
  EXPECT_EQ(found, expected);
}

TEST(SplitStore, DependsOnTheSeedAndRefusesAnEmptySide) {
  const TemporaryFolder folder;
  const auto parent = make_store(folder / "parent", {2, 2, 2, 2, 2, 2, 2, 2, 2, 2});
  std::set<std::string> selections;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Path a = folder / ("a" + std::to_string(seed)), b = folder / ("b" + std::to_string(seed));
    split_store(real_files(), *parent, 0.5, seed, a, b);
    const auto store = Store::open(a);
    std::string names;
    for (std::int64_t k = 0; k < store->identities(); ++k) names += store->identity_name(k) + " ";
    selections.insert(names);
  }
  EXPECT_GT(selections.size(), 1U);
  for (const double fraction : {0.0, 1.0, 0.01, 0.99, -1.0}) {
    EXPECT_THROW(split_store(real_files(), *parent, fraction, 1, folder / "c", folder / "d"), ConfigError)
        << fraction;
  }
  EXPECT_THROW(split_store(real_files(), *parent, 0.5, 1, folder / "c", folder / "c"), ConfigError);
}

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

TEST(Pairs, ComeBackFromTheirFile) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {4, 3, 5, 4});
  const PairList list = make_pairs(*store, 2, 12, 1);
  const Path path = folder / "pairs.txt";
  write_pairs(real_files(), path, list, *store);
  EXPECT_EQ(
      read_file(path).rfind("# facemae pairs: folds 2, store " + store->dataset_digest().hex() + "\n", 0),
      0U);
  const PairList back = read_pairs(path);
  EXPECT_EQ(back.folds, 2);
  ASSERT_EQ(back.pairs.size(), list.pairs.size());
  for (std::size_t i = 0; i < list.pairs.size(); ++i) {
    EXPECT_EQ(back.pairs[i].a, list.pairs[i].a);
    EXPECT_EQ(back.pairs[i].b, list.pairs[i].b);
    EXPECT_EQ(back.pairs[i].same, list.pairs[i].same);
  }
}

TEST(Pairs, MayNameFiles) {
  const TemporaryFolder folder;
  const Path path = folder / "pairs.txt";
  write_durably(real_files(), path, std::string("x/1.png x/2.png 1\nx/1.png y/1.png 0\r\n"));
  std::vector<std::string> names;
  const PairList list = read_pairs(path, &names);
  EXPECT_EQ(names, (std::vector<std::string>{"x/1.png", "x/2.png", "y/1.png"}));
  ASSERT_EQ(list.pairs.size(), 2U);
  EXPECT_EQ(list.folds, 2);
  EXPECT_TRUE(list.pairs[0].same);
  EXPECT_EQ(list.pairs[1].a, 0U);
  EXPECT_EQ(list.pairs[1].b, 2U);
  EXPECT_FALSE(list.pairs[1].same);
}

TEST(Pairs, NameTheBadLineOfAFile) {
  const TemporaryFolder folder;
  const Path path = folder / "pairs.txt";
  for (const char* text : {"1 2 1\n3 x 0\n", "1 2 1\n3 4 2\n", "1 2 1\n3 4\n", "1 2 1\n1 2 1 7\n"}) {
    write_durably(real_files(), path, std::string(text));
    try {
      read_pairs(path);
      ADD_FAILURE() << text;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos) << error.what();
    }
  }
  write_durably(real_files(), path, std::string("# facemae pairs: folds 2, store 0\n1 2 1\n3 4 0\n5 6 1\n"));
  EXPECT_THROW(read_pairs(path), DataError);
}

}  // namespace
}  // namespace facemae
