#include "trainer/step/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/tensors/alone.h"

namespace facemae {
namespace {

/// The verdict on a step whose update counts, and on one that is skipped.
const torch::Tensor made = torch::zeros({}), skipped = torch::ones({});

struct Problem {
  Problem(const OptimizerConfig& config)
      : weight(torch::linspace(-1, 1, 6, torch::kFloat32).view({2, 3}).clone().requires_grad_(true)),
        bias(torch::linspace(0.5, 2, 3, torch::kFloat32).clone().requires_grad_(true)),
        centres(torch::ones({2, 2}).requires_grad_(true)),
        buckets({{"weight", weight, true}, {"bias", bias, false}}, alone),
        optimizer(config, buckets, centres) {}
  /// Gradients are a fixed function of the step.
  void set_gradients(int step) {
    weight.mutable_grad().fill_(0.1 * (step + 1));
    bias.mutable_grad().fill_(-0.2 * (step + 1));
    centres.mutable_grad().fill_(0.05);
  }
  AloneCommunicator alone;
  torch::Tensor weight, bias, centres;
  GradientBuckets buckets;
  Optimizer optimizer;
};

TEST(Optimizer, AdamWFollowsThePaper) {
  const OptimizerConfig config{.kind = "adamw", .weight_decay = 0.1, .beta1 = 0.8, .beta2 = 0.9, .eps = 1e-6};
  Problem problem(config);
  double weight = -1, bias = 0.5, m = 0, v = 0, mb = 0, vb = 0;  // the first elements, by hand
  for (int step = 0; step < 4; ++step) {
    problem.set_gradients(step);
    problem.optimizer.step(0.01, made);
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

TEST(Optimizer, SgdHasMomentumAndCoupledDecay) {
  Problem problem({.kind = "sgd", .weight_decay = 0.1, .momentum = 0.5});
  double weight = -1, momentum = 0, centre = 1, centre_momentum = 0;
  for (int step = 0; step < 3; ++step) {
    problem.set_gradients(step);
    problem.optimizer.step(0.1, made);
    momentum = 0.5 * momentum + 0.1 * (step + 1) + 0.1 * weight;
    weight -= 0.1 * momentum;
    centre_momentum = 0.5 * centre_momentum + 0.05 + 0.1 * centre;
    centre -= 0.1 * centre_momentum;
    EXPECT_NEAR(problem.weight[0][0].item<double>(), weight, 1e-6);
    EXPECT_NEAR(problem.centres[1][1].item<double>(), centre, 1e-6);
  }
}

TEST(Optimizer, ASkippedStepChangesNothingAndIsNotCounted) {
  for (const char* kind : {"adamw", "sgd"}) {
    SCOPED_TRACE(kind);
    const OptimizerConfig config{.kind = kind, .weight_decay = 0.1};
    Problem with(config), without(config);
    with.set_gradients(0), with.optimizer.step(0.01, made);
    without.set_gradients(0), without.optimizer.step(0.01, made);
    with.set_gradients(1);
    with.weight.mutable_grad()[0][0] = std::numeric_limits<float>::quiet_NaN();
    with.optimizer.step(0.01, skipped);
    EXPECT_TRUE(torch::equal(with.weight, without.weight));
    with.set_gradients(2), with.optimizer.step(0.01, made);
    without.set_gradients(2), without.optimizer.step(0.01, made);
    EXPECT_TRUE(torch::equal(with.weight, without.weight)) << "moments and count, too";
    EXPECT_TRUE(torch::equal(with.centres, without.centres));
  }
}

TEST(Optimizer, ItsSnapshotRestoredContinuesBitForBit) {
  const OptimizerConfig config{.kind = "adamw"};
  Problem through(config), stopped(config), resumed(config);
  for (int step = 0; step < 3; ++step) through.set_gradients(step), through.optimizer.step(0.01, made);
  for (int step = 0; step < 2; ++step) stopped.set_gradients(step), stopped.optimizer.step(0.01, made);
  Snapshot from, to;
  const ClassTensor at{"centres", stopped.centres.detach(), 0, 2};
  stopped.optimizer.add_to(from, &at);
  resumed.optimizer.add_to(to, &at);
  ASSERT_EQ(from.replicated.size(), 5u);
  ASSERT_EQ(from.by_class.size(), 2u);
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < from.replicated.size(); ++i) {
    EXPECT_EQ(from.replicated[i].name, to.replicated[i].name);
    to.replicated[i].value.copy_(from.replicated[i].value);
  }
  for (std::size_t i = 0; i < from.by_class.size(); ++i) to.by_class[i].rows.copy_(from.by_class[i].rows);
  resumed.weight.copy_(stopped.weight);
  resumed.bias.copy_(stopped.bias);
  resumed.centres.copy_(stopped.centres);
  resumed.set_gradients(2);
  resumed.optimizer.step(0.01, made);
  EXPECT_TRUE(torch::equal(resumed.weight, through.weight));
  EXPECT_TRUE(torch::equal(resumed.bias, through.bias));
  EXPECT_TRUE(torch::equal(resumed.centres, through.centres));
}

}  // namespace
}  // namespace facemae
