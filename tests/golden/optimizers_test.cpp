// The optimizers of replicated parameters against PyTorch's (optimizers.py): ten steps at changing rates, with and without
// weight decay.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>

#include "checkpoint/tensors/safetensors.h"
#include "cluster/tensors/alone.h"
#include "tests/golden/numbers.h"
#include "trainer/step/optimizer.h"

namespace facemae {
namespace {

struct Case {
  std::string name;
  OptimizerConfig config;
};

const std::vector<Case> kCases = {
    {"sgd", {.kind = "sgd", .weight_decay = 5e-4, .momentum = 0.9}},
    {"sgd-plain", {.kind = "sgd", .weight_decay = 0.1, .momentum = 0}},
    {"sgd-nesterov", {.kind = "sgd", .weight_decay = 5e-4, .momentum = 0.9, .nesterov = true}},
    {"sgd-nesterov-decay", {.kind = "sgd", .weight_decay = 0.3, .momentum = 0.8, .nesterov = true}},
    {"adamw", {.kind = "adamw", .weight_decay = 0.05}},
    {"adamw-decay", {.kind = "adamw", .weight_decay = 0.3, .beta2 = 0.999}},
};

class OptimizersGolden : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(, OptimizersGolden, testing::ValuesIn(kCases), [](const auto& at) {
  std::string name = at.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(OptimizersGolden, AreWherePyTorchIsAfterEachOfTenSteps) {
  std::map<std::string, torch::Tensor> golden;
  for (auto& [name, tensor] : read_safetensors(golden_file("optimizers.safetensors"))) golden[name] = tensor;
  const auto& after = golden.at("after." + GetParam().name);
  ASSERT_EQ(after.size(0), 10);
  for (const bool fused : {true, false}) {
    const auto start = golden.at("start").to(torch::kFloat32);
    const auto decaying = start[0].clone().requires_grad_(true),
               spared = start[1].clone().requires_grad_(true);
    AloneCommunicator alone;
    GradientBuckets buckets({{"decaying", decaying, true}, {"spared", spared, false}}, alone);
    OptimizerConfig config = GetParam().config;
    config.fused = fused;
    Optimizer optimizer(config, buckets);
    for (std::int64_t step = 0; step < after.size(0); ++step) {
      const auto gradients = golden.at("gradients")[step].to(torch::kFloat32);
      decaying.mutable_grad().copy_(gradients[0]);
      spared.mutable_grad().copy_(gradients[1]);
      optimizer.step(golden.at("rates")[step].item<double>());
      const auto now = torch::stack({decaying.detach(), spared.detach()}).to(torch::kFloat64);
      EXPECT_LT((now - after[step]).abs().max().item<double>(), 1e-6)
          << (fused ? "fused" : "plain") << ", step " << step;
    }
    EXPECT_GT((after[9] - golden.at("start")).abs().max().item<double>(), 1e-3) << "it moves";
  }
}

}  // namespace
}  // namespace facemae
