// Classes added, dropped and reordered at load.
#include "checkpoint/format/class_map.h"

#include "checkpoint/history/discover.h"
#include "checkpoint/tensors/store.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;

class ClassMapTest : public testing::Test {
 protected:
  ClassMap read(const std::string& text, std::int64_t classes = 4) {
    overwrite(folder_.path() / "map.csv", text);
    return read_class_map(folder_.path() / "map.csv", classes);
  }
  std::string refusal(const std::string& text) {
    try {
      read(text);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  const TemporaryFolder folder_;
  AloneControl control_;
  QuickFiles files_;
  Quiet quiet_;
};

TEST_F(ClassMapTest, IsReadFromLinesOfTwoNumbers) {
  EXPECT_EQ(read("now,before\n0,7\n 2 , 1 # moved\n\n# nothing\n"), (ClassMap{7, -1, 1, -1}));
  EXPECT_EQ(read("1,1"), (ClassMap{-1, 1, -1, -1}));
  EXPECT_EQ(read("\xEF\xBB\xBF 0,7\r2,1\r"), (ClassMap{7, -1, 1, -1}));
}

TEST_F(ClassMapTest, NamesTheLineThatIsWrong) {
  EXPECT_THAT(refusal("0,1\nx,1\n"), testing::HasSubstr("line 2"));
  EXPECT_THAT(refusal("0,1\n1\n"), testing::HasSubstr("line 2"));
  EXPECT_THAT(refusal("0,-1\n"), testing::HasSubstr("line 1"));
  EXPECT_THAT(refusal("4,0\n"), testing::HasSubstr("names class 4, but there are 4"));
  EXPECT_THAT(refusal("0,1\n0,2\n"), testing::HasSubstr("a second time"));
  for (const char* none : {"", "now,before\n", "# nothing\n"})
    EXPECT_THAT(refusal(none), testing::HasSubstr("no class"));
  EXPECT_THROW(read_class_map(folder_.path() / "none.csv", 4), ConfigError);
  EXPECT_THROW(read_class_map(folder_.path(), 4), ConfigError);
}

TEST_F(ClassMapTest, RowsGoWhereItSaysAndNewOnesStay) {
  CheckpointStore store(folder_.path(), control_, files_);
  const Snapshot saved = small_state(10, 20, 0, 20);
  ASSERT_TRUE(store.save(saved, 1));
  // 23 classes now: the old ones backwards, but for three that are new; old class 0 to 2 are dropped.
  ClassMap map(23, -1);
  for (std::int64_t now = 0; now < 17; ++now) map[static_cast<std::size_t>(now)] = 19 - now;
  Snapshot into = blank_like(small_state(10, 23, 0, 23));
  into.virtual_shards = 5;
  into.model_hash = "with other classes";
  CheckpointStore later(folder_.path(), control_, files_);
  const auto info = later.newest();
  EXPECT_THROW(later.restore(*info, into), ConfigError) << "not without a map";
  ASSERT_FALSE(later.restore(*info, into, &map));
  for (std::int64_t now = 0; now < 23; ++now) {
    const auto expected = now < 17 ? saved.by_class[0].rows[19 - now] : torch::ones({6});
    EXPECT_TRUE(torch::equal(into.by_class[0].rows[now], expected)) << now;
  }
  EXPECT_TRUE(torch::equal(into.replicated[0].value, saved.replicated[0].value));
  map[3] = 20;
  EXPECT_THROW(later.restore(*info, into, &map), ConfigError) << "the checkpoint has no class 20";
}

TEST_F(ClassMapTest, RowsThatLieAcrossLeavesAreWhole) {
  // Rows of 3 MiB: leaves of 8 MiB cut them.
  Snapshot saved;
  saved.step = 1;
  saved.model_hash = "wide";
  saved.replicated = {{"one", torch::ones({1})}};
  saved.by_class = {{"rows", torch::arange(7 * 786432, torch::kFloat32).view({7, 786432}), 0, 7}};
  saved.virtual_shards = 1;
  CheckpointStore store(folder_.path(), control_, files_);
  ASSERT_TRUE(store.save(saved, 1));
  Snapshot into = blank_like(saved);
  const ClassMap map = {6, 2, 5, -1, 0, 1, 2};
  ASSERT_FALSE(store.restore(*store.newest(), into, &map));
  for (std::size_t now = 0; now < map.size(); ++now) {
    const auto row = into.by_class[0].rows[static_cast<std::int64_t>(now)];
    EXPECT_TRUE(map[now] < 0 ? row.eq(1).all().item<bool>()
                             : torch::equal(row, saved.by_class[0].rows[map[now]]))
        << now;
  }
}

TEST_F(ClassMapTest, DamagedRowsAreFound) {
  CheckpointStore store(folder_.path(), control_, files_);
  ASSERT_TRUE(store.save(small_state(10, 20, 0, 20), 1));
  const Path shard = folder_.path() / "checkpoints/s000000010.a01/r00000.safetensors";
  const Manifest manifest = parse_manifest(valid_manifest_bytes(shard.parent_path()));
  std::string bytes = read_file(shard);
  bytes[manifest.find("centres")->pieces[0].offset + 1] ^= 1;
  overwrite(shard, bytes);
  ClassMap map(20);
  for (std::size_t i = 0; i < map.size(); ++i) map[i] = static_cast<std::int64_t>(i);
  Snapshot into = blank_like(small_state(10, 20, 0, 20));
  CheckpointStore later(folder_.path(), control_, files_);
  const auto reason = later.restore(*later.newest(), into, &map);
  ASSERT_TRUE(reason);
  EXPECT_THAT(*reason, testing::HasSubstr("centres is damaged"));
}

}  // namespace
}  // namespace facemae
