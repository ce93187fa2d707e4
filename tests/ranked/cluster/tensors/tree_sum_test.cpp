// Sums in the fixed tree have one process's bits on any number of ranks, which an all_reduce does not give.
#include "cluster/tensors/tree_sum.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/host/fixed_tree.h"
#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "tests/ranked/cluster/tensors/conformance.h"

namespace facemae {
namespace {

/// Values of very different sizes, so that every order of additions rounds otherwise somewhere.
torch::Tensor leaf(std::int64_t number) {
  torch::manual_seed(number);
  return torch::randn({3, 1000}) * torch::randn({3, 1000}).exp();
}

torch::Tensor summed(const std::vector<std::int64_t>& bounds, Communicator& ranks) {
  auto result = torch::empty({3, 1000});
  TreeSum(bounds, ranks).sum(result, leaf);
  return result;
}

TEST(TreeSum, HasTheBitsOfOneProcess) {
  AloneCommunicator alone;
  MpiCommunicator ranks("test", kLong);
  for (const std::int64_t leaves : {1, 2, 5, 8, 13, 64}) {
    const auto one = summed({0, leaves}, alone);
    EXPECT_TRUE(torch::equal(summed(part_bounds(leaves, ranks.size()), ranks), one)) << leaves << " leaves";
    auto exact = torch::zeros({3, 1000}, torch::kFloat64);
    for (std::int64_t i = 0; i < leaves; ++i) exact += leaf(i).to(torch::kFloat64);
    EXPECT_TRUE(torch::allclose(one.to(torch::kFloat64), exact, 1e-4, 1e-4));
  }
}

TEST(TreeSum, KeepsTheBitsOfValuesThatAreNoOrdinaryNumbers) {
  MpiCommunicator ranks("test", kLong);
  const auto special = torch::tensor(
      {-0.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 1e-42F});
  for (const auto sum : {true, false}) {
    auto result = torch::empty({4});
    const TreeSum tree(part_bounds(8, ranks.size()), ranks);
    const auto give = [&](std::int64_t i) {
      return sum && i > 0 ? torch::full({4}, -0.0F) : i == 3 || sum ? special : torch::full({4}, -1e30F);
    };
    sum ? tree.sum(result, give) : tree.maximum(result, give);
    EXPECT_TRUE(std::signbit(result[0].item<float>())) << "-0 is not 0";
    EXPECT_TRUE(std::isinf(result[1].item<float>()));
    EXPECT_TRUE(std::isnan(result[2].item<float>())) << "also as the largest: the step must be skipped";
    EXPECT_EQ(result[3].item<float>(), 1e-42F);
  }
}

TEST(TreeSum, DiffersFromAnAllReduceOfTheRanksSums) {
  AloneCommunicator alone;
  MpiCommunicator ranks("test", kLong);
  if (ranks.size() == 1) GTEST_SKIP() << "one rank has nothing to reduce";
  auto plain = torch::zeros({3, 1000});
  const auto bounds = part_bounds(13, ranks.size());
  const auto rank = static_cast<std::size_t>(ranks.rank());
  for (auto i = bounds[rank]; i < bounds[rank + 1]; ++i) plain += leaf(i);
  ranks.all_reduce(plain, Reduce::Sum).wait();
  EXPECT_FALSE(torch::equal(plain, summed({0, 13}, alone)));
}

TEST(TreeSum, AsksForOwnLeavesOnceAndInOrder) {
  MpiCommunicator ranks("test", kLong);
  const TreeSum tree(part_bounds(11, ranks.size()), ranks);
  std::vector<std::int64_t> asked, own;
  auto result = torch::empty({2});
  tree.sum(result, [&](std::int64_t i) {
    asked.push_back(i);
    return torch::ones({2});
  });
  for (std::int64_t i = 0; i < tree.own(); ++i) own.push_back(tree.first() + i);
  EXPECT_EQ(asked, own);
  EXPECT_EQ(result[1].item<float>(), 11);
}

TEST(TreeSum, RefusesBoundsThatAreNotThoseOfItsRanks) {
  MpiCommunicator ranks("test", kLong);
  EXPECT_THROW(TreeSum({0}, ranks), Error);
  EXPECT_THROW(TreeSum(std::vector<std::int64_t>(static_cast<std::size_t>(ranks.size()) + 1, 0), ranks),
               Error);
}

}  // namespace
}  // namespace facemae
