// Embeddings, dealt over ranks, are on rank 0 as one rank computes them.
#include "trainer/apply/embed_images.h"

#include <gtest/gtest.h>

#include <atomic>

#include "cluster/host/agree.h"
#include "cluster/tensors/gather_to_root.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/trainer/apply/counting_network.h"

namespace facemae {
namespace {

class EmbedOnRanks : public testing::Test {
 protected:
  const std::unique_ptr<World> world =
      World::open(test::mpi_alone(), {.device = "cpu", .deadline = std::chrono::minutes(1)});
  const int rank = world->topology().rank, ranks = world->topology().size;
  std::atomic<std::int64_t> decodes = 0;

  ImageSet pictures(std::size_t size) {
    return {.size = size,
            .read =
                [this](std::size_t i) {
                  ++decodes;
                  return test::striped_picture(i);
                },
            .name = [](std::size_t i) { return "picture " + std::to_string(i); }};
  }
};

TEST_F(EmbedOnRanks, HasAllEmbeddingsInOrderOnTheFirstRankAlone) {
  for (const std::int64_t count : {1, 2, 37, 130}) {
    test::CountingNetwork network;
    decodes = 0;
    const auto images = pictures(static_cast<std::size_t>(count));
    const auto found =
        embed_images(images, network, *world, {.normalise = false, .batch = 16, .show_progress = false});
    const std::int64_t share = (count + ranks - 1) / ranks;
    EXPECT_LE(decodes, share);
    EXPECT_LE(network.rows, 2 * share) << "forward, of an image and its mirror image";
    EXPECT_LE(network.calls, 2 * ((share + 15) / 16));
    ASSERT_EQ(found.rows.defined(), rank == 0);
    EXPECT_EQ(found.xnorm.has_value(), rank == 0);
    if (rank != 0) continue;
    ASSERT_EQ(found.rows.sizes(), (std::vector<std::int64_t>{count, 8}));
    double norms = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto plain = test::stripes_of(static_cast<std::size_t>(i));
      EXPECT_TRUE(torch::allclose(found.rows[i], plain + plain.flip(0), 0, 1e-5)) << i << " of " << count;
      norms += plain.norm().item<double>();
    }
    EXPECT_NEAR(*found.xnorm, norms / static_cast<double>(count), 1e-5);
  }
}

TEST_F(EmbedOnRanks, FailsOnAllRanksWhenAnImageOfOneIsBad) {
  auto images = pictures(12);
  images.read = [](std::size_t i) { return i == 11 ? std::vector<std::byte>(3) : test::striped_picture(i); };
  test::CountingNetwork network;
  try {
    embed_images(images, network, *world, {.show_progress = false});
    FAIL();
  } catch (const AgreedError& error) {
    EXPECT_NE(std::string(error.what()).find("picture 11"), std::string::npos);
    EXPECT_EQ(error.code(), ExitCode::BadData);
  }
}

TEST_F(EmbedOnRanks, GathersRowsInPiecesOfAnySize) {
  std::vector<std::int64_t> rows_of_rank;
  std::int64_t before = 0, all = 0;
  for (int r = 0; r < ranks; ++r) {
    rows_of_rank.push_back(r == 1 ? 0 : 5 + r);
    if (r < rank) before += rows_of_rank.back();
    all += rows_of_rank.back();
  }
  const auto rows = rows_of_rank[static_cast<std::size_t>(rank)];
  const auto own = torch::arange(before * 3, (before + rows) * 3, torch::kFloat32).view({rows, 3});
  for (const std::size_t piece : {4UL, 10UL, 1000UL}) {
    const auto gathered = gather_to_root(own, world->control(), rows_of_rank, piece);
    ASSERT_EQ(gathered.defined(), rank == 0);
    if (rank != 0) continue;
    EXPECT_TRUE(gathered.equal(torch::arange(all * 3, torch::kFloat32).view({all, 3})));
  }
}

}  // namespace
}  // namespace facemae
