#include "model/recognition/batch_norm.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/common/recomputed.h"
#include "tests/relative.h"

namespace facemae {
namespace {

struct Normalised {
  torch::Tensor value, of_x, of_weight, of_bias;
};

template <class Norm>
Normalised through(Norm& norm, const torch::Tensor& x) {
  norm->zero_grad();
  const auto leaf = x.clone().requires_grad_();
  const auto value = norm->forward(leaf);
  torch::manual_seed(4);
  value.backward(torch::randn_like(value));
  return {value.detach(), leaf.grad(), norm->weight.grad().clone(), norm->bias.grad().clone()};
}

torch::Tensor some_maps(torch::ScalarType type = torch::kFloat32) {
  torch::manual_seed(2);
  return torch::randn({8, 5, 3, 4}, type) * 2 + 1;
}

template <class Norm>
void scale_and_shift(Norm& norm) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  norm->weight.normal_();
  norm->bias.normal_();
}

TEST(BatchNorm, HasTheBitsOfTorchOnItsOwnRows) {
  torch::nn::BatchNorm2d torchs(5);
  BatchNorm ours(5);
  scale_and_shift(torchs), scale_and_shift(ours);
  for (const bool training : {true, true, false}) {
    torchs->train(training), ours->train(training);
    const auto want = through(torchs, some_maps()), got = through(ours, some_maps());
    EXPECT_TRUE(torch::equal(got.value, want.value));
    EXPECT_TRUE(torch::equal(got.of_x, want.of_x));
    EXPECT_TRUE(torch::equal(got.of_weight, want.of_weight));
    EXPECT_TRUE(torch::equal(got.of_bias, want.of_bias));
  }
  for (const auto& item : torchs->named_buffers())
    EXPECT_TRUE(torch::equal(ours->named_buffers()[item.key()], item.value())) << item.key();
  EXPECT_EQ(ours->num_batches_tracked.item<std::int64_t>(), 2);
}

/// What a sum over ranks is where there is one.
NormRows alone() {
  return {.over_ranks = [](const torch::Tensor& own) { return own.clone(); }};
}

TEST(BatchNorm, OverRanksIsTorchsWhereThereIsOne) {
  for (const bool flat : {false, true}) {
    const auto x = flat ? some_maps(torch::kFloat64).mean({2, 3}) : some_maps(torch::kFloat64);
    BatchNorm torchs(5), ours(5);
    for (auto* norm : {&torchs, &ours}) {
      (*norm)->to(torch::kFloat64);
      scale_and_shift(*norm);
    }
    ours->rows = alone();
    const auto want = through(torchs, x), got = through(ours, x);
    EXPECT_THAT(got.value, test::IsWithin(1e-13, want.value));
    EXPECT_THAT(got.of_x, test::IsWithin(1e-12, want.of_x));
    EXPECT_THAT(got.of_weight, test::IsWithin(1e-13, want.of_weight));
    EXPECT_THAT(got.of_bias, test::IsWithin(1e-13, want.of_bias));
    EXPECT_THAT(ours->running_mean, test::IsWithin(1e-13, torchs->running_mean));
    EXPECT_THAT(ours->running_var, test::IsWithin(1e-13, torchs->running_var));
  }
}

TEST(BatchNorm, OverRanksKeepsSmallVariancesFarFromZero) {
  BatchNorm norm(1);
  norm->rows = alone();
  torch::manual_seed(6);
  const auto x = torch::randn({64, 1, 8, 8}) + 3000;
  EXPECT_NEAR(norm->forward(x).std().item<double>(), 1, 1e-2);
}

TEST(BatchNorm, InGroupsIsEachGroupByItself) {
  BatchNorm whole(5);
  scale_and_shift(whole);
  whole->rows = {.group = 4};
  const auto x = some_maps();
  const auto got = whole->forward(x);
  torch::Tensor mean, variance;
  for (const auto& rows : x.split(4)) {
    torch::nn::BatchNorm2d one(5);
    scale_and_shift(one);
    const auto own = one->forward(rows);
    EXPECT_TRUE(torch::equal(got.narrow(0, mean.defined() ? 4 : 0, 4), own));
    mean = mean.defined() ? (mean + one->running_mean) / 2 : one->running_mean;
    variance = variance.defined() ? (variance + one->running_var) / 2 : one->running_var;
  }
  EXPECT_THAT(whole->running_mean, test::IsWithin(1e-6, mean));
  EXPECT_THAT(whole->running_var, test::IsWithin(1e-6, variance));
}

TEST(BatchNorm, MovesItsStatisticsOnceWhenItIsRecomputed) {
  for (const NormRows& rows : {NormRows{}, NormRows{.group = 4}, alone()}) {
    BatchNorm plain(5), again(5);
    plain->rows = again->rows = rows;
    const auto x = some_maps();
    const auto of_plain = x.clone().requires_grad_(), of_again = x.clone().requires_grad_();
    plain->forward(of_plain).pow(3).sum().backward();
    const auto forward = [again](const torch::Tensor& map) { return again.ptr()->forward(map); };
    recomputed(forward, again->parameters(), of_again).pow(3).sum().backward();
    EXPECT_TRUE(torch::equal(of_again.grad(), of_plain.grad()));
    EXPECT_TRUE(torch::equal(again->weight.grad(), plain->weight.grad()));
    for (const auto& item : plain->named_buffers())
      EXPECT_TRUE(torch::equal(again->named_buffers()[item.key()], item.value())) << item.key();
    EXPECT_EQ(again->num_batches_tracked.item<std::int64_t>(), 1);
  }
}

}  // namespace
}  // namespace facemae
