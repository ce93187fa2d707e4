// Batch norms over the rows of all ranks are those of one process that holds them all.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/collectives.h"
#include "model/recognition/batch_norm.h"
#include "tests/relative.h"

namespace facemae {
namespace {

constexpr double kSynchronised = 1e-10;

/// Two norms around a convolution, and one without scale and shift on features.
struct Normed : torch::nn::Module {
  Normed() {
    torch::manual_seed(5);
    first = register_module("first", BatchNorm(3));
    convolution = register_module("convolution", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 4, 3)));
    second = register_module("second", BatchNorm(4));
    last = register_module("last", BatchNorm(torch::nn::BatchNormOptions(4).affine(false)));
    to(torch::kFloat64);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    return last->forward(
        second->forward(torch::relu(convolution->forward(first->forward(x)))).pow(2).mean({2, 3}));
  }
  BatchNorm first{nullptr}, second{nullptr}, last{nullptr};
  torch::nn::Conv2d convolution{nullptr};
};

/// Rows of 1 to 4 ranks, of unequal numbers, also one alone.
std::vector<std::int64_t> unequal_rows(int ranks) {
  const std::vector<std::int64_t> all = {3, 1, 5, 2};
  return {all.begin(), all.begin() + ranks};
}

TEST(SynchronisedNorm, IsThatOfOneProcessOnTheWholeBatch) {
  torch::set_num_threads(1);
  MpiCommunicator ranks("batch norms", std::chrono::minutes(1));
  const auto rows = unequal_rows(ranks.size());
  std::int64_t total = 0, first = 0;
  for (int r = 0; r < ranks.size(); ++r) {
    if (r == ranks.rank()) first = total;
    total += rows[static_cast<std::size_t>(r)];
  }
  const std::int64_t own = rows[static_cast<std::size_t>(ranks.rank())];
  torch::manual_seed(7);
  const auto all = (torch::randn({total, 3, 6, 5}, torch::kFloat64) * 3 + 2).requires_grad_();
  const auto wanted = torch::randn({total, 4}, torch::kFloat64);

  Normed whole, part;
  const auto value = whole.forward(all);
  value.backward(wanted);
  normalise_by(part, {.over_ranks = [&](const torch::Tensor& of_own) { return all_sum(of_own, ranks); }});
  const auto x = all.detach().narrow(0, first, own).clone().requires_grad_();
  const auto of_part = part.forward(x);
  of_part.backward(wanted.narrow(0, first, own));

  EXPECT_THAT(of_part, test::IsWithin(kSynchronised, value.narrow(0, first, own)));
  EXPECT_THAT(x.grad(), test::IsWithin(kSynchronised, all.grad().narrow(0, first, own)));
  for (const auto& item : whole.named_buffers())
    EXPECT_THAT(part.named_buffers()[item.key()], test::IsWithin(kSynchronised, item.value())) << item.key();
  for (const auto& item : whole.named_parameters()) {
    auto summed = part.named_parameters()[item.key()].grad().clone();
    ranks.all_reduce(summed, Reduce::Sum).wait();
    // The convolution's bias has no gradient behind a norm: rounding is all there is.
    if (item.key() == "convolution.bias") continue;
    EXPECT_THAT(summed, test::IsWithin(kSynchronised, item.value().grad())) << item.key();
  }
}

TEST(SynchronisedNorm, DiffersFromThatOfOwnRows) {
  MpiCommunicator ranks("batch norms", std::chrono::minutes(1));
  if (ranks.size() == 1) GTEST_SKIP() << "one rank has all rows";
  torch::manual_seed(40 + ranks.rank());
  const auto x = torch::randn({3, 3, 6, 5}, torch::kFloat64);
  Normed together, alone;
  normalise_by(together, {.over_ranks = [&](const torch::Tensor& own) { return all_sum(own, ranks); }});
  EXPECT_GT(test::relative_distance(together.forward(x), alone.forward(x)), 1e-2);
}

}  // namespace
}  // namespace facemae
