#include "trainer/step/coupling.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <array>

#include "core/error.h"

namespace facemae {
namespace {

constexpr std::array kMembers = {&Pass::rows, &Pass::reference};

/// Passes of one micro-batch with these numbers of rows per part, rows numbered from `first`.
Passes passes_of(const std::vector<std::int64_t>& rows, double first, int micro) {
  Passes passes{.micro = micro};
  std::int64_t total = 0;
  for (const auto count : rows) {
    const auto values =
        torch::arange(count, torch::kFloat32).view({count, 1}) + first + static_cast<double>(total);
    passes.parts.push_back({.rows = values.clone().requires_grad_(), .reference = values * 100});
    total += count;
  }
  passes.rows_of_rank = {total};
  return passes;
}

struct CouplingOfOneRank : testing::TestWithParam<bool> {
  AloneCommunicator alone;
  const Parts parts = GetParam() ? Parts::of_slots(2, alone) : Parts::of_ranks(alone);
};
INSTANTIATE_TEST_SUITE_P(RanksAndSlots, CouplingOfOneRank, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Slots" : "Ranks"; });

TEST_P(CouplingOfOneRank, JoinsTheRowsOfAGroupAndCutsTheirGradientUpAgain) {
  const std::vector<std::int64_t> rows =
      GetParam() ? std::vector<std::int64_t>{1, 2} : std::vector<std::int64_t>{3};
  const Group group = {passes_of(rows, 0, 0), passes_of(rows, 3, 1)};
  Coupling faces(parts, group, kMembers);
  EXPECT_EQ(faces.total(), 6);
  EXPECT_TRUE(faces.rows(&Pass::rows).flatten().equal(torch::arange(6, torch::kFloat32)));
  EXPECT_TRUE(faces.rows(&Pass::reference).flatten().equal(100 * torch::arange(6, torch::kFloat32)));
  EXPECT_FALSE(faces.rows(&Pass::rows).requires_grad());
  EXPECT_THROW(faces.rows(&Pass::output), Error);

  const auto wanted = faces.spread(faces.rows(&Pass::rows) + 0.5);
  ASSERT_EQ(wanted.size(), 2u);
  for (std::size_t micro = 0; micro < 2; ++micro) {
    ASSERT_EQ(wanted[micro].size(), rows.size());
    for (std::size_t part = 0; part < rows.size(); ++part)
      EXPECT_TRUE(wanted[micro][part].equal(group[micro].parts[part].rows + 0.5));
  }
}

TEST_P(CouplingOfOneRank, HasSharesThatSumToTheFigure) {
  const std::vector<torch::Tensor> of_parts = GetParam()
                                                  ? std::vector{torch::tensor({1.0}), torch::tensor({2.0})}
                                                  : std::vector{torch::tensor({3.0})};
  EXPECT_EQ(parts.own(), of_parts.size());
  EXPECT_EQ(parts.sum(of_parts).item<double>(), 3);
  EXPECT_EQ(parts.share_of_sum(of_parts).item<double>(), 3);
  EXPECT_EQ(parts.share_of_coupled(torch::tensor(5.0)).item<double>(), 5);
  EXPECT_EQ(parts.share_of_common(torch::tensor(5.0), 2).item<double>(), 2.5);
}

}  // namespace
}  // namespace facemae
