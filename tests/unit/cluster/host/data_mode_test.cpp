#include "cluster/host/data_mode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"

namespace facemae {
namespace {

TEST(DataMode, IsSharedWithoutADiskAndWhenAskedFor) {
  const std::vector<LocalDisk> roomy{{"a", 1000, 0}};
  EXPECT_EQ(choose_mode("auto", 100, {}).mode, "shared");
  EXPECT_EQ(choose_mode("shared", 100, roomy).mode, "shared");
  EXPECT_THROW(choose_mode("replica", 100, {}), ConfigError);
}

TEST(DataMode, IsReplicaWhenTheMissingShardsFitOnEveryNode) {
  const std::vector<LocalDisk> both{{"a", 1000, 0}, {"b", 200, 850}};
  EXPECT_EQ(choose_mode("auto", 950, both).mode, "replica");
  EXPECT_EQ(choose_mode("replica", 950, both).mode, "replica");
  EXPECT_EQ(choose_mode("auto", 951, both).mode, "shared") << "a twentieth of the free space stays free";
  EXPECT_EQ(choose_mode("auto", 100, std::vector<LocalDisk>{{"a", 0, 120}}).mode, "replica");
}

TEST(DataMode, NamesTheNodeThatLacksSpace) {
  const std::vector<LocalDisk> disks{{"roomy", 10'000, 0}, {"tight", 90, 0}};
  EXPECT_NE(choose_mode("auto", 100, disks).reason.find("tight"), std::string::npos);
  try {
    choose_mode("replica", 100, disks);
    ADD_FAILURE() << "it was taken";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("tight"), std::string::npos);
  }
}

TEST(StagingSequence, HasEveryShardOnceAndSpreadsTheNodesOverThem) {
  for (const std::size_t shards : {0U, 1U, 5U, 870U})
    for (const int nodes : {1, 3, 64}) {
      std::set<std::size_t> first;
      for (int node = 0; node < nodes; ++node) {
        auto sequence = staging_sequence(shards, node, nodes);
        if (!sequence.empty()) first.insert(sequence.front());
        std::sort(sequence.begin(), sequence.end());
        ASSERT_EQ(sequence.size(), shards);
        for (std::size_t s = 0; s < shards; ++s) ASSERT_EQ(sequence[s], s);
      }
      EXPECT_EQ(first.size(), std::min(shards, static_cast<std::size_t>(nodes)));
    }
}

}  // namespace
}  // namespace facemae
