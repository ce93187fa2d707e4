// Class centres after ten steps of PyTorch's optimizers (class_updates.py): rows that are parameters of their own and are
// left out where they were not sampled, and one parameter with all rows.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>

#include "checkpoint/tensors/safetensors.h"
#include "cluster/tensors/alone.h"
#include "tests/golden/numbers.h"
#include "trainer/classes/class_optimizer.h"

namespace facemae {
namespace {

struct ClassRule {
  std::string name;
  OptimizerConfig config;
};

class ClassUpdates : public testing::TestWithParam<ClassRule> {
 protected:
  torch::Tensor golden(const std::string& name) const { return numbers_.at(name); }
  /// Checks all that golden() has of `mode`.
  void expect_golden(const std::string& mode, const ClassRows& rows) const {
    const std::string prefix = GetParam().name + "." + mode + ".";
    std::size_t found = 0;
    for (const auto& [what, value] : std::map<std::string, torch::Tensor>{{"centres", rows.centres},
                                                                          {"first", rows.first},
                                                                          {"second", rows.second},
                                                                          {"updates", rows.updates}}) {
      const auto want = numbers_.find(prefix + what);
      if (want == numbers_.end()) continue;
      ++found;
      EXPECT_LT((value - want->second).abs().max().item<double>(), 1e-6) << what;
    }
    EXPECT_EQ(found, std::size_t{2} + (rows.second.defined() ? 1 : 0) + (rows.updates.defined() ? 1 : 0));
  }
  ClassGradient gradient_of(std::int64_t step) const {
    const auto rows = golden("sampled")[step].nonzero().squeeze(1);
    return {.rows = rows, .values = golden("gradients")[step].index_select(0, rows)};
  }

  const std::map<std::string, torch::Tensor> numbers_ = [] {
    const auto read = read_safetensors(golden_file("class_updates.safetensors"));
    return std::map<std::string, torch::Tensor>(read.begin(), read.end());
  }();
};

TEST_P(ClassUpdates, AreThoseOfPyTorch) {
  for (const bool dense : {false, true}) {
    SCOPED_TRACE(dense ? "dense" : "sparse");
    AloneCommunicator alone;
    auto weight = torch::zeros({1}, torch::requires_grad());
    GradientBuckets buckets({{"weight", weight}}, alone);
    Optimizer replicated(GetParam().config, buckets);
    ClassRows rows{.centres = golden("centres").clone()};
    ClassOptimizer classes({.dense = dense}, replicated, rows.centres);
    for (std::int64_t step = 0; step < golden("rates").numel(); ++step) {
      const double rate = golden("rates")[step].item<double>();
      replicated.step(rate);
      classes.step(rate, gradient_of(step));
    }
    Snapshot held;
    classes.add_to(held, {.name = "centres"});
    for (const auto& tensor : held.by_class) {
      if (tensor.name.find("steps") != std::string::npos)
        rows.updates = tensor.rows;
      else
        (tensor.name.find("_sq") != std::string::npos ? rows.second : rows.first) = tensor.rows;
    }
    expect_golden(dense ? "dense" : "sparse", rows);
  }
}

TEST_P(ClassUpdates, AreThoseOfPyTorchByOperationsOnAnyDevice) {
  const bool adamw = GetParam().config.kind == "adamw";
  const auto centres = golden("centres").clone();
  const ClassRows rows{.centres = centres,
                       .first = torch::zeros_like(centres),
                       .second = adamw ? torch::zeros_like(centres) : torch::Tensor(),
                       .updates = adamw ? torch::zeros({centres.size(0)}, torch::kInt32) : torch::Tensor()};
  for (std::int64_t step = 0; step < golden("rates").numel(); ++step)
    move_rows_by_operations(rows, gradient_of(step), GetParam().config, golden("rates")[step].item<double>(),
                            {});
  expect_golden("sparse", rows);
}

INSTANTIATE_TEST_SUITE_P(
    , ClassUpdates,
    testing::Values(
        ClassRule{"sgd", {.kind = "sgd", .weight_decay = 0}},
        ClassRule{"sgd_decay", {.kind = "sgd", .weight_decay = 0.05}},
        ClassRule{"nesterov", {.kind = "sgd", .weight_decay = 0, .nesterov = true}},
        ClassRule{"nesterov_decay", {.kind = "sgd", .weight_decay = 0.05, .nesterov = true}},
        ClassRule{"adamw", {.kind = "adamw", .weight_decay = 0.1, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8}}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace facemae
