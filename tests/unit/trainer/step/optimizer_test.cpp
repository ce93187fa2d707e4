#include "trainer/step/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "cluster/tensors/alone.h"

namespace facemae {
namespace {

struct Problem {
  explicit Problem(const OptimizerConfig& config, torch::Device device = torch::kCPU)
      : alone(device),
        weight(
            torch::linspace(-1, 1, 6, torch::kFloat32).view({2, 3}).to(device).clone().requires_grad_(true)),
        bias(torch::linspace(0.5, 2, 3, torch::kFloat32).to(device).clone().requires_grad_(true)),
        buckets({{"weight", weight, true}, {"bias", bias, false}}, alone),
        optimizer(config, buckets) {}
  /// Gradients are a fixed function of the step.
  void set_gradients(int step) {
    weight.mutable_grad().fill_(0.1 * (step + 1));
    bias.mutable_grad().fill_(-0.2 * (step + 1));
  }
  AloneCommunicator alone;
  torch::Tensor weight, bias;
  GradientBuckets buckets;
  Optimizer optimizer;
};

TEST(Optimizer, AdamWFollowsThePaper) {
  const OptimizerConfig config{.kind = "adamw", .weight_decay = 0.1, .beta1 = 0.8, .beta2 = 0.9, .eps = 1e-6};
  Problem problem(config);
  double weight = -1, bias = 0.5, m = 0, v = 0, mb = 0, vb = 0;  // the first elements, by hand
  for (int step = 0; step < 4; ++step) {
    problem.set_gradients(step);
    problem.optimizer.step(0.01);
    const double g = 0.1 * (step + 1), gb = -0.2 * (step + 1), c1 = 1 - std::pow(0.8, step + 1),
                 c2 = 1 - std::pow(0.9, step + 1);
    m = 0.8 * m + 0.2 * g, v = 0.9 * v + 0.1 * g * g;
    mb = 0.8 * mb + 0.2 * gb, vb = 0.9 * vb + 0.1 * gb * gb;
    weight = weight - 0.01 * 0.1 * weight - 0.01 * (m / c1) / (std::sqrt(v / c2) + 1e-6);
    bias -= 0.01 * (mb / c1) / (std::sqrt(vb / c2) + 1e-6);  // no decay
    EXPECT_NEAR(problem.weight[0][0].item<double>(), weight, 1e-6);
    EXPECT_NEAR(problem.bias[0].item<double>(), bias, 1e-6);
  }
}

class SgdKernel : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, SgdKernel, testing::Values(false, true),
                         [](const auto& fused) { return fused.param ? "fused" : "plain"; });

TEST_P(SgdKernel, HasMomentumAndCoupledDecay) {
  Problem problem({.kind = "sgd", .weight_decay = 0.1, .momentum = 0.5, .fused = GetParam()});
  double weight = -1, momentum = 0;
  for (int step = 0; step < 3; ++step) {
    problem.set_gradients(step);
    problem.optimizer.step(0.1);
    momentum = 0.5 * momentum + 0.1 * (step + 1) + 0.1 * weight;
    weight -= 0.1 * momentum;
    EXPECT_NEAR(problem.weight[0][0].item<double>(), weight, 1e-6);
  }
}

std::vector<torch::Tensor> state_of(Problem& problem) {
  Snapshot snapshot;
  problem.optimizer.add_to(snapshot);
  std::vector<torch::Tensor> all{problem.weight, problem.bias};
  for (const auto& tensor : snapshot.replicated) all.push_back(tensor.value);
  return all;
}

bool same(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](const auto& x, const auto& y) { return torch::equal(x, y); });
}

/// On every device that is there.
class EveryOptimizer : public testing::TestWithParam<OptimizerConfig> {
 protected:
  static void on_each_device(const std::function<void(torch::Device)>& check) {
    check(torch::kCPU);
    if (torch::cuda::is_available()) check(torch::kCUDA);
  }
};
INSTANTIATE_TEST_SUITE_P(, EveryOptimizer,
                         testing::Values(OptimizerConfig{.kind = "adamw"}, OptimizerConfig{.kind = "sgd"},
                                         OptimizerConfig{.kind = "sgd", .momentum = 0},
                                         OptimizerConfig{.kind = "sgd", .nesterov = true},
                                         OptimizerConfig{.kind = "sgd", .nesterov = true, .fused = false},
                                         OptimizerConfig{.kind = "sgd", .fused = false}),
                         [](const auto& at) {
                           return at.param.kind + (at.param.nesterov ? "Nesterov" : "") +
                                  (at.param.fused ? "" : "Plain") +
                                  (at.param.momentum == 0 ? "WithoutMomentum" : "");
                         });

/// The gradients of a skipped step may be anything, its clip factor too.
TEST_P(EveryOptimizer, IsAsItWasAfterAStepThatTheDeviceSkips) {
  on_each_device([](torch::Device device) {
    Problem skipping(GetParam(), device), straight(GetParam(), device);
    const auto yes = torch::ones({}, device), no = torch::zeros({}, device);
    skipping.set_gradients(0), skipping.optimizer.step(0.01, {.found_inf = no});
    straight.set_gradients(0), straight.optimizer.step(0.01);
    EXPECT_TRUE(same(state_of(skipping), state_of(straight)));
    for (const float bad :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      skipping.weight.mutable_grad().fill_(bad);
      skipping.optimizer.step(0.01, {.found_inf = yes, .clip = torch::full({}, bad, device)});
      EXPECT_TRUE(same(state_of(skipping), state_of(straight)));
    }
    skipping.set_gradients(1), skipping.optimizer.step(0.01, {.found_inf = no});
    straight.set_gradients(1), straight.optimizer.step(0.01);
    EXPECT_TRUE(same(state_of(skipping), state_of(straight)));
  });
}

TEST_P(EveryOptimizer, ClipsTheReplicatedGradientsAsScaledOnesDo) {
  on_each_device([](torch::Device device) {
    const auto factor = torch::full({}, 0.3f, device);
    Problem clipped(GetParam(), device), scaled(GetParam(), device);
    clipped.set_gradients(3), clipped.optimizer.step(0.01, {.clip = factor});
    scaled.set_gradients(3), scaled.buckets.scale(factor), scaled.optimizer.step(0.01);
    EXPECT_TRUE(same(state_of(clipped), state_of(scaled)));
    Problem whole(GetParam(), device), once(GetParam(), device);
    whole.set_gradients(3), whole.optimizer.step(0.01);
    once.set_gradients(3), once.optimizer.step(0.01, {.clip = torch::ones({}, device)});
    EXPECT_TRUE(same(state_of(whole), state_of(once)));
    EXPECT_FALSE(same(state_of(whole), state_of(clipped)));
  });
}

TEST(Optimizer, ItsSnapshotRestoredContinuesBitForBit) {
  const OptimizerConfig config{.kind = "adamw"};
  Problem through(config), stopped(config), resumed(config);
  for (int step = 0; step < 3; ++step) through.set_gradients(step), through.optimizer.step(0.01);
  for (int step = 0; step < 2; ++step) stopped.set_gradients(step), stopped.optimizer.step(0.01);
  Snapshot from, to;
  stopped.optimizer.add_to(from);
  resumed.optimizer.add_to(to);
  ASSERT_EQ(from.replicated.size(), 5u);
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < from.replicated.size(); ++i) {
    EXPECT_EQ(from.replicated[i].name, to.replicated[i].name);
    to.replicated[i].value.copy_(from.replicated[i].value);
  }
  resumed.weight.copy_(stopped.weight);
  resumed.bias.copy_(stopped.bias);
  resumed.set_gradients(2);
  resumed.optimizer.step(0.01);
  EXPECT_TRUE(torch::equal(resumed.weight, through.weight));
  EXPECT_TRUE(torch::equal(resumed.bias, through.bias));
}

}  // namespace
}  // namespace facemae
