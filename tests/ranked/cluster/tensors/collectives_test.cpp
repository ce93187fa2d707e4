#include "cluster/tensors/collectives.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <numeric>

#include "cluster/mpi/mpi_communicator.h"
#include "core/error.h"
#include "tests/ranked/cluster/tensors/conformance.h"

namespace facemae {
namespace {

using torch::Tensor;

/// A number for each row, column and salt, the same everywhere.
Tensor numbers(std::int64_t rows, double salt) {
  return torch::sin(torch::arange(rows * 3, torch::kFloat64) * 1.7 + salt).view({rows, 3});
}

/// Rank r's share of the global loss: its own weighting of everybody's rows.
Tensor share(const Tensor& all, int rank) { return (all.pow(2) * numbers(all.size(0), 10.0 + rank)).sum(); }

void expect_one_process(const std::vector<std::int64_t>& rows, torch::ScalarType type, double tolerance) {
  MpiCommunicator ranks("test", kLong);
  std::int64_t first = 0, total = 0;
  for (int r = 0; r < ranks.size(); ++r) {
    if (r < ranks.rank()) first += rows[static_cast<std::size_t>(r)];
    total += rows[static_cast<std::size_t>(r)];
  }
  const std::vector<std::int64_t> ours(rows.begin(), rows.begin() + ranks.size());
  auto whole = numbers(total, 0).to(type).requires_grad_();
  Tensor loss = torch::zeros({}, type);
  for (int r = 0; r < ranks.size(); ++r) loss = loss + share(whole, r);
  loss.backward();

  auto local =
      whole.detach().narrow(0, first, ours[static_cast<std::size_t>(ranks.rank())]).clone().requires_grad_();
  auto all = gather_rows(local, ranks, ours);
  EXPECT_TRUE(torch::equal(all, whole));
  share(all, ranks.rank()).backward();
  ASSERT_TRUE(local.grad().defined());
  EXPECT_EQ(local.grad().sizes(), local.sizes());
  EXPECT_TRUE(
      torch::allclose(local.grad(), whole.grad().narrow(0, first, local.size(0)), tolerance, tolerance));
}

TEST(GatherRows, EqualsOneProcessInValueAndGradientForEqualRows) {
  expect_one_process({2, 2, 2, 2}, torch::kFloat64, 1e-12);
}
TEST(GatherRows, EqualsOneProcessForUnequalRows) { expect_one_process({5, 2, 3, 1}, torch::kFloat64, 1e-12); }
TEST(GatherRows, EqualsOneProcessWhenSomeRanksHaveNoRow) {
  expect_one_process({3, 0, 2, 0}, torch::kFloat64, 1e-12);
  expect_one_process({0, 4, 0, 1}, torch::kFloat64, 1e-12);
}
TEST(GatherRows, EqualsOneProcessWhenNobodyHasARow) { expect_one_process({0, 0, 0, 0}, torch::kFloat64, 0); }
TEST(GatherRows, EqualsOneProcessInFloat32) { expect_one_process({5, 0, 3, 1}, torch::kFloat32, 1e-5); }

TEST(GatherRows, TakesWhatIsNotContiguous) {
  MpiCommunicator ranks("test", kLong);
  auto local = numbers(2, ranks.rank()).t();  // [3, 2]
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(ranks.size()), 3);
  auto all = gather_rows(local, ranks, rows);
  for (int r = 0; r < ranks.size(); ++r)
    EXPECT_TRUE(torch::equal(all.narrow(0, 3 * r, 3), numbers(2, r).t()));
}

TEST(GatherRows, RefusesRowsThatDoNotMatchTheAgreedNumbers) {
  MpiCommunicator ranks("test", kLong);
  const std::vector<std::int64_t> rows(static_cast<std::size_t>(ranks.size()), 3), few;
  EXPECT_THROW(gather_rows(torch::zeros({2, 3}), ranks, rows), Error);
  EXPECT_THROW(gather_rows(torch::zeros({3, 3}), ranks, few), Error);
}

TEST(AllSum, AddsTheRanksAndSumsTheirCotangents) {
  MpiCommunicator ranks("test", kLong);
  std::vector<Tensor> parts;
  parts.reserve(static_cast<std::size_t>(ranks.size()));
  Tensor loss = torch::zeros({}, torch::kFloat64);
  for (int r = 0; r < ranks.size(); ++r) parts.push_back(numbers(2, r).requires_grad_());
  const Tensor sum = std::accumulate(parts.begin() + 1, parts.end(), parts[0]);
  for (int r = 0; r < ranks.size(); ++r) loss = loss + share(sum, r);
  loss.backward();

  auto local = numbers(2, ranks.rank()).requires_grad_();
  auto total = all_sum(local, ranks);
  EXPECT_TRUE(torch::allclose(total, sum, 1e-12, 1e-12));
  EXPECT_TRUE(torch::equal(local, numbers(2, ranks.rank())));  // not in place
  share(total, ranks.rank()).backward();
  EXPECT_TRUE(
      torch::allclose(local.grad(), parts[static_cast<std::size_t>(ranks.rank())].grad(), 1e-12, 1e-12));
}

}  // namespace
}  // namespace facemae
