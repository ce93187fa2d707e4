// The relation losses over ranks: values and gradients of any distribution of the same
// rows equal one process.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <chrono>
#include <functional>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "core/random/keys.h"
#include "model/facemae/relation.h"
#include "tests/counted_bytes.h"
#include "tests/relative.h"

namespace facemae {
namespace {

constexpr std::int64_t kWidth = 10;

torch::Tensor drawn(std::int64_t rows, std::uint64_t key) {
  Draws draws(key);
  auto tensor = torch::empty({rows, kWidth}, torch::kFloat32);
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    tensor.data_ptr<float>()[i] = static_cast<float>(0.3 + draws.normal());
  return tensor;
}

struct Outcome {
  double loss = 0, correlation = 0;
  torch::Tensor gradient;  ///< of a weight that every rank holds, and of own rows
  torch::Tensor own_gradient;
};

/// embeddings = inputs * weight on every rank; the loss is the sum of shares, the weight's gradient the sum
/// of the ranks'.
Outcome run(Relation kind, bool center, Communicator& ranks, const std::vector<std::int64_t>& rows_of_rank,
            std::int64_t total, RelationForm form = {}) {
  torch::set_num_threads(1);
  std::int64_t first = 0;
  for (int r = 0; r < ranks.rank(); ++r) first += rows_of_rank[static_cast<std::size_t>(r)];
  const auto own = rows_of_rank[static_cast<std::size_t>(ranks.rank())];
  const auto real = drawn(total, 1).narrow(0, first, own);
  const auto inputs = drawn(total, 2).narrow(0, first, own).clone().requires_grad_();
  auto weight = drawn(kWidth, 3).requires_grad_();
  const auto result = relation_share(real, inputs.matmul(weight), kind, center, ranks, rows_of_rank, form);
  result.share.backward();
  auto sums = torch::stack({result.share.detach(), result.correlation}).to(torch::kFloat64);
  ranks.all_reduce(sums, Reduce::Sum).wait();
  Outcome outcome;
  outcome.loss = sums[0].item<double>();
  outcome.correlation = sums[1].item<double>();
  outcome.gradient = weight.grad().clone();
  ranks.all_reduce(outcome.gradient, Reduce::Sum).wait();
  outcome.own_gradient = inputs.grad();
  return outcome;
}

/// `rows_of` says how many rows each of so many ranks holds.
void expect_one_process(const std::function<std::vector<std::int64_t>(std::size_t ranks)>& rows_of) {
  MpiCommunicator ranks("relation", std::chrono::seconds(60));
  const auto rows_of_rank = rows_of(static_cast<std::size_t>(ranks.size()));
  std::int64_t total = 0, first = 0;
  for (std::size_t r = 0; r < rows_of_rank.size(); ++r) {
    if (static_cast<int>(r) < ranks.rank()) first += rows_of_rank[r];
    total += rows_of_rank[r];
  }
  AloneCommunicator alone;
  constexpr RelationForm kForms[] = {{}, {.pairs = true}, {.bfloat16 = true}};
  for (const std::string& name : relation_names()) {
    if (name == "none") continue;
    for (const auto& form : kForms)
      for (const bool center : {false, true}) {
        const auto many = run(relation_from(name), center, ranks, rows_of_rank, total, form);
        const auto one = run(relation_from(name), center, alone, {total}, total, form);
        const std::string where = name + (center ? " centred" : "") + (form.pairs ? " by pairs" : "") +
                                  (form.bfloat16 ? " in bfloat16" : "");
        // Of values that differ by their last bits a few round to the next bfloat16.
        const double bar = form.bfloat16 ? 5e-3 : 1e-5;
        EXPECT_GT(one.loss, 1e-4) << where;
        EXPECT_NEAR(many.loss, one.loss, bar * one.loss) << where;
        EXPECT_NEAR(many.correlation, one.correlation, bar) << where;
        EXPECT_LT(test::relative_distance(many.gradient, one.gradient, 0), bar) << where;
        const auto own = one.own_gradient.narrow(0, first, many.own_gradient.size(0));
        EXPECT_LT(
            test::relative_distance(many.own_gradient, own, one.own_gradient.norm().item<double>() * 1e3),
            bar)
            << where;
      }
  }
}

/// Two per rank more than the embedding has values, so that cosine is made of sums.
TEST(RelationOverRanks, EqualsOneProcessAndSendsNoRowsWhenFacesAreMany) {
  const auto rows_of = [](std::size_t ranks) { return std::vector<std::int64_t>(ranks, kWidth + 2); };
  expect_one_process(rows_of);
  MpiCommunicator ranks("counted", std::chrono::seconds(60));
  const auto rows = rows_of(static_cast<std::size_t>(ranks.size()));
  test::CountedBytes counted(ranks);
  run(relation_from("cosine"), false, counted, rows, (kWidth + 2) * ranks.size());
  const std::size_t of_the_test = 2 * sizeof(double) + kWidth * kWidth * sizeof(float);
  EXPECT_EQ(counted.bytes - of_the_test,
            3 * kWidth * kWidth * sizeof(float) + (2 * kWidth + 5) * sizeof(double));
}

TEST(RelationOverRanks, EqualsOneProcessWithEqualShares) {
  expect_one_process([](std::size_t ranks) {
    return std::vector<std::int64_t>(ranks, static_cast<std::int64_t>(12 / ranks));
  });
}

TEST(RelationOverRanks, EqualsOneProcessWithUnequalShares) {
  expect_one_process([](std::size_t ranks) {
    std::vector<std::int64_t> rows(ranks, 2);
    rows.front() = 5;
    if (ranks > 1) rows.back() = 1;
    return rows;
  });
}

TEST(RelationOverRanks, EqualsOneProcessWhenTheLastRankHasNoRows) {
  expect_one_process([](std::size_t ranks) {
    std::vector<std::int64_t> rows(ranks, 3);
    if (ranks > 1) rows.back() = 0;
    return rows;
  });
}

TEST(RelationOverRanks, EqualsOneProcessWhenTheFirstRankHasNoRows) {
  expect_one_process([](std::size_t ranks) {
    std::vector<std::int64_t> rows(ranks, 3);
    if (ranks > 1) rows.front() = 0;
    return rows;
  });
}

}  // namespace
}  // namespace facemae
