// On a node one rank hashes a store, for all of them.
#include "trainer/input/open_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "cluster/host/agree.h"
#include "cluster/mpi/mpi_control.h"
#include "core/log.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

constexpr std::uint64_t kManyRows = 6000, kIndexBytes = 29 * kManyRows;

/// One store for all ranks, which lies on their one node.
class OpenOnceANode : public testing::Test {
 protected:
  OpenOnceANode() {
    spdlog::set_level(spdlog::level::off);
    store_ = Path(control_.broadcast(here_.path().string())) / "store";
    place_ = {.rank = control_.rank(),
              .size = control_.size(),
              .local_rank = control_.rank(),
              .local_size = control_.size()};
    together(control_, [&] {
      if (!control_.is_root()) return;
      const auto picture = testing_stores::tiny_picture(1);
      testing_stores::make_store(store_, {kManyRows}, kManyRows, [&](std::uint64_t) { return picture; });
    });
  }
  /// Bytes that this process has read by read() and pread().
  static std::uint64_t bytes_read() {
    std::ifstream io("/proc/self/io");
    std::string word;
    std::uint64_t bytes = 0;
    io >> word >> bytes;
    return bytes;
  }
  MpiControl control_{std::chrono::minutes(1)};
  test::TemporaryFolder here_;
  Path store_;
  Topology place_;
};

TEST_F(OpenOnceANode, HashesOnOneRankAndGivesAllTheSameStore) {
  const std::uint64_t before = bytes_read();
  const auto store = open_once_a_node(control_, place_, store_);
  const std::uint64_t read = bytes_read() - before;
  if (place_.local_rank == 0) {
    EXPECT_GT(read, kIndexBytes);
  } else {
    EXPECT_LT(read, kIndexBytes / 2);
  }
  EXPECT_EQ(store->size(), kManyRows);
  std::vector<std::byte> image;
  store->read(kManyRows - 1, image);
  EXPECT_EQ(image, testing_stores::tiny_picture(1));
  control_.barrier(std::chrono::minutes(1));
}

TEST_F(OpenOnceANode, EndsOnAllRanksWithWhatOneFound) {
  together(control_, [&] {
    if (!control_.is_root()) return;
    const auto store = Store::open(store_);
    const auto& shard = store->shards()[0];
    test_images::flip_bit(store_ / shard.file, shard.blob_offset + shard.bytes + 3);
  });
  try {
    open_once_a_node(control_, place_, store_);
    ADD_FAILURE() << "rank " << place_.rank << " opened it";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData);
    EXPECT_NE(std::string(error.what()).find("shard-00000.h5"), std::string::npos) << error.what();
  }
  control_.barrier(std::chrono::minutes(1));
}

}  // namespace
}  // namespace facemae
