#include "checkpoint/history/discover.h"

#include "checkpoint/history/catalogue.h"
#include "checkpoint/tensors/weights.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using test::overwrite;
using test::TemporaryFolder;

TEST(Discover, NamesFoldersByStepAndStart) {
  EXPECT_EQ(folder_name({1200, 3}), "s000001200.a03");
  EXPECT_EQ(parse_folder_name("s000001200.a03"), (CheckpointId{1200, 3}));
  EXPECT_EQ(parse_folder_name(folder_name({12345678901ULL, 123})), (CheckpointId{12345678901ULL, 123}));
  for (const char* other :
       {"", "s", "s1200.a3", "s000001200", "s000001200.a", "s000001200.a03x", "s-00001200.a03", "LATEST"})
    EXPECT_FALSE(parse_folder_name(other)) << other;
}

TEST(Discover, ListsNewestFirst) {
  const TemporaryFolder folder;
  EXPECT_TRUE(list_checkpoints(folder.path() / "none").empty());
  for (const char* name : {"s000000100.a02", "s000000200.a01", "s000000100.a03", "fence"})
    std::filesystem::create_directory(folder.path() / name);
  overwrite(folder.path() / "s000000100.a02/COMMIT", "x");
  overwrite(folder.path() / "s000000300.a01", "a file, no folder");
  const auto found = list_checkpoints(folder.path());
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].id, (CheckpointId{200, 1}));
  EXPECT_EQ(found[1].id, (CheckpointId{100, 3}));
  EXPECT_EQ(found[2].id, (CheckpointId{100, 2}));
  EXPECT_FALSE(found[1].committed);
  EXPECT_TRUE(found[2].committed);
  EXPECT_TRUE(has_history(folder.path(), found));
  EXPECT_FALSE(has_history(folder.path(), {}));
  overwrite(folder.path() / "HISTORY", "s000000100.a02\n");
  EXPECT_TRUE(has_history(folder.path(), {}));
  const auto only = [](std::uint32_t start) {
    return [start](CheckpointId id) { return id.start == start; };
  };
  EXPECT_TRUE(has_history(folder.path(), {}, only(2)));
  EXPECT_FALSE(has_history(folder.path(), {}, only(1))) << "a line of a start that does not count";
  overwrite(folder.path() / "HISTORY", "s0000001");
  EXPECT_TRUE(has_history(folder.path(), {}, only(1))) << "a line that cannot be read counts";
}

TEST(Catalogue, SaysWhyARunHasNoCheckpoint) {
  const TemporaryFolder folder;
  const Path run = folder.path() / "run";
  EXPECT_THROW(expect_run(run), ConfigError);
  overwrite(run / "manifest.h5", "a store");
  EXPECT_THROW(expect_run(run), ConfigError);
  std::filesystem::create_directories(run / "checkpoints");
  EXPECT_NO_THROW(expect_run(run));
  EXPECT_FALSE(had_checkpoints(run));
  EXPECT_THROW(checkpoint_of(run), ConfigError);
  EXPECT_THROW(read_weights(run), ConfigError);
  overwrite(run / "checkpoints/HISTORY", "s000000100.a00\n");
  EXPECT_TRUE(had_checkpoints(run));
  EXPECT_THROW(checkpoint_of(run), Unresumable);
  EXPECT_THROW(read_weights(run), Unresumable);
}

}  // namespace
}  // namespace facemae
