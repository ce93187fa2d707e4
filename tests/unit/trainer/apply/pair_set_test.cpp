#include "trainer/apply/pair_set.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "data/pack/pack.h"
#include "data/upkeep/store_tools.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

class PairSetTest : public testing::Test {
 protected:
  const test::TemporaryFolder temporary;
  const Path folder = temporary.path();
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder / name) << text; }
};

TEST_F(PairSetTest, ReadsEachNamedFileOnceHoweverManyPairsItIsIn) {
  write("pairs.txt", "a.png b.png 1\na.png c.png 0\nb.png a.png 1\nc.png b.png 0\n");
  for (const std::string name : {"a.png", "b.png", "c.png"}) write(name, "bytes of " + name);
  const PairSet set = pairs_of_folder(folder / "pairs.txt", folder);
  EXPECT_EQ(set.images.size, 3u);
  EXPECT_EQ(set.first, (std::vector<std::int64_t>{0, 0, 1, 2}));
  EXPECT_EQ(set.second, (std::vector<std::int64_t>{1, 2, 0, 1}));
  EXPECT_EQ(set.same, (std::vector<char>{1, 0, 1, 0}));
  const auto third = set.images.read(2);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(third.data()), third.size()), "bytes of c.png");
}

TEST_F(PairSetTest, ASetThatCannotMeasureIsFoundBeforeTraining) {
  const auto picture = encode_png(Image{2, 2, std::vector<std::uint8_t>(12, 9)});
  const std::string png(reinterpret_cast<const char*>(picture.data()), picture.size());
  for (const std::string name : {"a.png", "b.png", "c.png"}) write(name, png);
  write("pairs.txt", "a.png b.png 1\na.png c.png 0\n");
  const auto fault = [&](int rank, int ranks) -> std::string {
    try {
      check_pairs(pairs_of_folder(folder / "pairs.txt", folder), rank, ranks);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault(0, 1), "");
  write("b.png", "no picture");
  EXPECT_NE(fault(0, 1).find("b.png"), std::string::npos) << fault(0, 1);
  EXPECT_NE(fault(1, 2), "") << "its share";
  EXPECT_EQ(fault(0, 2), "") << "another rank's";
  std::filesystem::remove(folder / "b.png");
  EXPECT_NE(fault(0, 1).find("pairs.txt cannot measure anything"), std::string::npos) << fault(0, 1);
  write("pairs.txt", "a.png c.png 1\n");
  EXPECT_NE(fault(0, 1).find("1 pairs, too few"), std::string::npos) << fault(0, 1);
}

TEST_F(PairSetTest, PairsOfRowsNeedTheStoreThatTheyWereMadeFrom) {
  for (const auto& [name, seed] : {std::pair<const char*, std::uint64_t>{"one", 1}, {"two", 2}})
    pack(*synth_source(seed, 0, 6, 4), {.out = folder / name, .source_licence = "", .show_progress = false},
         real_files());
  const auto store = Store::open(folder / "one");
  const PairList list = make_pairs(*store, 2, 8, 0);
  write_pairs(real_files(), folder / "pairs.txt", list, *store);
  const PairSet set = pairs_of_store(folder / "pairs.txt", folder / "one");
  ASSERT_EQ(set.same.size(), 8u);
  for (std::size_t i = 0; i < set.same.size(); ++i) {
    EXPECT_EQ(set.images.name(static_cast<std::size_t>(set.first[i])),
              "row " + std::to_string(list.pairs[i].a));
    EXPECT_EQ(set.images.name(static_cast<std::size_t>(set.second[i])),
              "row " + std::to_string(list.pairs[i].b));
  }
  EXPECT_THROW(pairs_of_store(folder / "pairs.txt", folder / "two"), DataError);
  write("rows.txt", "0 1 1\n0 24 0\n");
  EXPECT_THROW(pairs_of_store(folder / "rows.txt", folder / "one"), DataError);  // row 24 of 24 images
}

}  // namespace
}  // namespace facemae
