#include "trainer/classes/class_rows.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstring>
#include <limits>

#include "core/checksum.h"

namespace facemae {
namespace {

constexpr std::int64_t kOwn = 700, kWidth = 512;

/// The same rows whenever it is called, as a run has them after some steps: no row is at rest.
ClassRows moving_rows(const std::string& kind, torch::ScalarType type = torch::kFloat32,
                      std::int64_t own = kOwn, std::int64_t width = kWidth) {
  torch::manual_seed(3);
  ClassRows rows{.centres = torch::randn({own, width}, torch::kFloat64).mul(0.01).to(type)};
  rows.first = torch::randn({own, width}, torch::kFloat64).mul(1e-3).to(type);
  if (kind == "sgd") return rows;
  rows.second = torch::rand({own, width}, torch::kFloat64).add(0.5).mul(1e-6).to(type);
  rows.updates = torch::randint(0, 50, {own}, torch::kInt32);
  return rows;
}

/// Of every third row, or of all.
ClassGradient gradient_of(const ClassRows& rows, bool sampled) {
  torch::manual_seed(4);
  const auto own = rows.centres.size(0);
  ClassGradient gradient;
  if (sampled) gradient.rows = torch::arange(1, own, 3, torch::kInt64);
  gradient.values =
      torch::randn({sampled ? gradient.rows.numel() : own, rows.centres.size(1)}, torch::kFloat64)
          .mul(1e-3)
          .to(rows.centres.scalar_type());
  return gradient;
}

std::vector<torch::Tensor> all_of(const ClassRows& rows) {
  std::vector<torch::Tensor> all{rows.centres, rows.first};
  if (rows.second.defined()) all.push_back(rows.second);
  if (rows.updates.defined()) all.push_back(rows.updates);
  return all;
}

std::string hash_of_rows(const ClassRows& rows, const torch::Tensor& which) {
  Hasher hasher;
  for (const auto& tensor : all_of(rows)) {
    const auto picked = tensor.index_select(0, which).contiguous();
    hasher.add({static_cast<const std::byte*>(picked.const_data_ptr()), picked.nbytes()});
  }
  return hasher.digest().hex();
}
std::string hash_of(const ClassRows& rows) {
  return hash_of_rows(rows, torch::arange(rows.centres.size(0), torch::kInt64));
}

class EveryRule : public testing::TestWithParam<OptimizerConfig> {
 protected:
  ~EveryRule() override { torch::set_num_threads(1); }
  ClassRows rows() const { return moving_rows(GetParam().kind); }
};
INSTANTIATE_TEST_SUITE_P(
    , EveryRule,
    testing::Values(OptimizerConfig{.kind = "sgd", .weight_decay = 5e-4},
                    OptimizerConfig{.kind = "sgd", .weight_decay = 5e-4, .nesterov = true},
                    OptimizerConfig{.kind = "adamw", .weight_decay = 0.1}),
    [](const auto& at) { return at.param.kind + (at.param.nesterov ? "Nesterov" : ""); });

TEST_P(EveryRule, IsOneOnTheHostAndByOperations) {
  for (const bool sampled : {true, false}) {
    const auto host = rows(), operations = rows();
    const auto gradient = gradient_of(host, sampled);
    const auto before = hash_of(host);
    move_rows_on_host(host, gradient, GetParam(), 0.01);
    move_rows_by_operations(operations, gradient, GetParam(), 0.01, torch::zeros({}));
    EXPECT_NE(hash_of(host), before);
    const auto a = all_of(host), b = all_of(operations);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(torch::allclose(a[i], b[i], 1e-6, 1e-8)) << i;
  }
}

TEST_P(EveryRule, LeavesTheBitsOfUnsampledRows) {
  for (const bool on_host : {true, false}) {
    const auto moved = rows();
    const auto gradient = gradient_of(moved, true);
    auto unsampled = torch::ones({kOwn}, torch::kBool);
    unsampled.index_fill_(0, gradient.rows, false);
    const auto others = unsampled.nonzero().squeeze(1);
    moved.centres[0][0] = std::numeric_limits<float>::quiet_NaN();  // of an unsampled row: it spreads nowhere
    moved.first[2][1] = -0.0F;
    const auto before = hash_of_rows(moved, others), sampled = hash_of_rows(moved, gradient.rows);
    if (on_host)
      move_rows_on_host(moved, gradient, GetParam(), 0.01);
    else
      move_rows_by_operations(moved, gradient, GetParam(), 0.01, {});
    EXPECT_EQ(hash_of_rows(moved, others), before);
    EXPECT_NE(hash_of_rows(moved, gradient.rows), sampled);
    for (const auto& tensor : all_of(moved))
      EXPECT_TRUE(torch::isfinite(tensor.index_select(0, gradient.rows)).all().item<bool>());
  }
}

TEST_P(EveryRule, HasTheSameBitsOnAnyNumberOfThreads) {
  for (const bool sampled : {true, false}) {
    std::string alone;
    for (const int threads : {1, 2, 5}) {
      torch::set_num_threads(threads);
      const auto moved = rows();
      const auto gradient = gradient_of(moved, sampled);
      for (int step = 0; step < 3; ++step) move_rows_on_host(moved, gradient, GetParam(), 0.01);
      if (threads == 1) alone = hash_of(moved);
      EXPECT_EQ(hash_of(moved), alone) << threads << " threads";
    }
  }
}

TEST_P(EveryRule, GivesARowTheSameBitsWhereverItLies) {
  const auto whole = rows();
  const auto gradient = gradient_of(whole, false);
  const auto moved = rows();
  move_rows_on_host(moved, gradient, GetParam(), 0.01);
  for (const std::int64_t first : {0, 1, 333, 699}) {
    const auto alone = [&](const torch::Tensor& of) {  // at another address, among others
      return of.defined() ? torch::cat({of.narrow(0, 5, 2), of.narrow(0, first, 1)}) : of;
    };
    const ClassRows apart{alone(whole.centres), alone(whole.first), alone(whole.second),
                          alone(whole.updates)};
    move_rows_on_host(apart, {torch::tensor({2}, torch::kInt64), gradient.values.narrow(0, first, 1)},
                      GetParam(), 0.01);
    EXPECT_EQ(hash_of_rows(apart, torch::tensor({2}, torch::kInt64)),
              hash_of_rows(moved, torch::tensor({first}, torch::kInt64)));
  }
}

TEST_P(EveryRule, LeavesEveryBitOfAStepThatTheDeviceSkips) {
  for (const bool sampled : {true, false}) {
    const auto moved = rows();
    auto gradient = gradient_of(moved, sampled);
    gradient.values[0].fill_(std::numeric_limits<float>::infinity());
    gradient.values[1].fill_(std::numeric_limits<float>::quiet_NaN());
    const auto before = hash_of(moved);
    move_rows_by_operations(moved, gradient, GetParam(), 0.01, torch::ones({}));
    EXPECT_EQ(hash_of(moved), before);
  }
}

TEST_P(EveryRule, TakesMoreRowsThanOperationsTakeAtATime) {
  for (const bool sampled : {true, false}) {
    const auto many = moving_rows(GetParam().kind, torch::kFloat32, 60000, 2),
               same = moving_rows(GetParam().kind, torch::kFloat32, 60000, 2);
    const auto gradient = gradient_of(many, sampled);
    move_rows_by_operations(many, gradient, GetParam(), 0.01, {});
    move_rows_on_host(same, gradient, GetParam(), 0.01);
    const auto a = all_of(many), b = all_of(same);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(torch::allclose(a[i], b[i], 1e-6, 1e-8)) << i;
  }
}

TEST_P(EveryRule, TakesNoRows) {
  const auto still = rows();
  const auto before = hash_of(still);
  const ClassGradient none{torch::empty({0}, torch::kInt64), torch::empty({0, kWidth})};
  move_rows_on_host(still, none, GetParam(), 0.01);
  move_rows_by_operations(still, none, GetParam(), 0.01, {});
  EXPECT_EQ(hash_of(still), before);
}

TEST_P(EveryRule, IsThatOfFloat64UpToRounding) {
  const auto exact = moving_rows(GetParam().kind, torch::kFloat64), rounded = rows();
  const auto gradient = gradient_of(exact, true);
  move_rows_by_operations(exact, gradient, GetParam(), 0.01, {});
  move_rows_on_host(rounded, {gradient.rows, gradient.values.to(torch::kFloat32)}, GetParam(), 0.01);
  const auto a = all_of(exact), b = all_of(rounded);
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_TRUE(torch::allclose(a[i].to(torch::kFloat64), b[i].to(torch::kFloat64), 1e-4, 1e-8)) << i;
}

}  // namespace
}  // namespace facemae
