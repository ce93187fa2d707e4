// Softmax over classes that live on several ranks equals the dense softmax of one process.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

#include "cluster/mpi/mpi_communicator.h"
#include "core/random/keys.h"
#include "model/softmax/margin_softmax.h"
#include "tests/dense_head.h"
#include "tests/relative.h"

namespace facemae {
namespace {

struct Case {
  torch::ScalarType type;
  double tolerance;
};

class ShardedSoftmax : public testing::TestWithParam<Case> {
 protected:
  MpiCommunicator ranks_{"class shards test", std::chrono::seconds(60)};

  /// Value, gradients and accuracy of `classes` over `shards` against one process; `rows` of each rank.
  void compare(std::int64_t classes, std::int64_t shards, const std::vector<std::int64_t>& rows,
               const std::string& kind) {
    const auto [type, tolerance] = GetParam();
    torch::manual_seed(11);  // every rank draws the whole batch and keeps its rows
    std::int64_t total = 0, first = 0;
    for (int r = 0; r < ranks_.size(); ++r) {
      if (r < ranks_.rank()) first += rows[r];
      total += rows[r];
    }
    const auto all = torch::randn({total, kWidth}, type), all_centres = torch::randn({classes, kWidth}, type);
    const auto labels = torch::randint(classes, {total}, torch::kInt64);

    ClassCentres centres(classes, shards, 1, ranks_, torch::kCPU, type);
    const auto range = centres.range();
    centres.weight() = all_centres.narrow(0, range.first, range.count).clone();
    const auto mine = rows[static_cast<std::size_t>(ranks_.rank())];
    const Margin margin{.kind = kind, .m = margin_kind(kind).m, .scale = 64};
    MarginState state(margin, torch::kCPU, type);
    const auto result =
        margin_softmax(centres, state, {.margin = margin, .class_filter = {}}, all.narrow(0, first, mine),
                       labels.narrow(0, first, mine), {}, rows, static_cast<double>(total));
    auto loss = result.loss.clone();
    ranks_.all_reduce(loss, Reduce::Sum).wait();

    auto of_centres = torch::zeros_like(all_centres);
    const auto dense = dense::softmax({.margin = kind, .filter = {}}, {.centres = all_centres}, all, labels,
                                      {}, torch::arange(classes), static_cast<double>(total), of_centres);

    EXPECT_NEAR(loss.item<double>(), dense.loss, tolerance * dense.loss);
    EXPECT_THAT(result.cotangent, test::IsWithin(tolerance, dense.of_embeddings.narrow(0, first, mine)));
    EXPECT_THAT(centres.gradient(),
                test::IsWithin(tolerance, of_centres.narrow(0, range.first, range.count)));
    EXPECT_EQ(result.correct.item<double>(), dense.correct);
  }

  std::vector<std::int64_t> equal_rows(std::int64_t each) const {
    return std::vector<std::int64_t>(static_cast<std::size_t>(ranks_.size()), each);
  }

  static constexpr std::int64_t kWidth = 512;
};

TEST_P(ShardedSoftmax, EqualsTheDenseOne) {
  compare(150, 16, equal_rows(6), "arcface");
  compare(150, 16, equal_rows(6), "cosface");
}

TEST_P(ShardedSoftmax, EqualsTheDenseOneWhereRanksHoldUnequalRowsOrNone) {
  auto rows = equal_rows(3);
  rows.front() = 7;
  if (rows.size() > 1) rows.back() = 0;
  compare(90, 8, rows, "arcface");
}

TEST_P(ShardedSoftmax, EqualsTheDenseOneWhereSomeRanksOwnNoClass) {
  compare(2, 64, equal_rows(4), "arcface");
  compare(1, 8, equal_rows(2), "cosface");
}

TEST_P(ShardedSoftmax, StartsFromTheSameCentresInAnyWorld) {
  ClassCentres centres(70, 8, 5, ranks_, torch::kCPU, GetParam().type);
  auto all = torch::zeros({70, 512}, GetParam().type);
  all.narrow(0, centres.range().first, centres.range().count).copy_(centres.weight());
  ranks_.all_reduce(all, Reduce::Sum).wait();
  for (const std::int64_t c : {0, 33, 69}) {
    Draws draws(key_of(5, Purpose::Classes, static_cast<std::uint64_t>(c)));
    EXPECT_FLOAT_EQ(all[c][0].item<float>(), static_cast<float>(0.01 * draws.normal()));
  }
}

INSTANTIATE_TEST_SUITE_P(Types, ShardedSoftmax,
                         testing::Values(Case{torch::kFloat32, 1e-6}, Case{torch::kFloat64, 1e-10}),
                         [](const auto& tested) {
                           return tested.param.type == torch::kFloat32 ? "float32" : "float64";
                         });

}  // namespace
}  // namespace facemae
