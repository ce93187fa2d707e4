#include "trainer/classes/class_optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "cluster/tensors/alone.h"
#include "trainer/step/memory_meter.h"

namespace facemae {
namespace {

using testing::ElementsAre;

constexpr std::int64_t kClasses = 9, kFeatures = 16;
constexpr double kRate = 0.01;

/// Centres beside a replicated weight.
struct Centres {
  Centres(const OptimizerConfig& rule, const ClassUpdateConfig& update, std::int64_t classes = kClasses)
      : values(torch::linspace(-0.02, 0.03, classes * kFeatures).view({classes, kFeatures}).clone()),
        replicated(rule, buckets),
        optimizer(update, replicated, values) {
    optimizer.add_to(snapshot, {.name = "centres", .first = 4, .total = 50});
  }
  void step(const ClassGradient& gradient, const torch::Tensor& found_inf = {}) {
    replicated.step(kRate, {.found_inf = found_inf});
    optimizer.step(kRate, gradient, found_inf);
  }
  std::vector<torch::Tensor> state() const {
    std::vector<torch::Tensor> all{values.clone()};
    for (const auto& tensor : snapshot.by_class) all.push_back(tensor.rows.clone());
    return all;
  }
  torch::Tensor held(const std::string& name) const {
    for (const auto& tensor : snapshot.by_class)
      if (tensor.name == "optimizer." + name + ".centres") return tensor.rows;
    return {};
  }

  AloneCommunicator alone;
  torch::Tensor weight = torch::zeros({3}, torch::requires_grad());
  GradientBuckets buckets{{{"weight", weight}}, alone};
  torch::Tensor values;
  Optimizer replicated;
  ClassOptimizer optimizer;
  Snapshot snapshot;
};

/// Of a step: a fixed function of its number.
ClassGradient all_rows(int step) {
  return {.rows = {},
          .values = torch::arange(kClasses * kFeatures, torch::kFloat32)
                        .add(step)
                        .sin()
                        .mul(1e-2)
                        .view({kClasses, kFeatures})};
}
ClassGradient some_rows(int step) {
  const auto rows = torch::arange(step % 3, kClasses, 3, torch::kInt64);
  return {.rows = rows, .values = all_rows(step).values.index_select(0, rows)};
}

bool same_values(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return torch::equal(x, y); });
}

struct Update {
  OptimizerConfig rule;
  ClassUpdateConfig update;
};
class EveryClassUpdate : public testing::TestWithParam<Update> {};
INSTANTIATE_TEST_SUITE_P(, EveryClassUpdate,
                         testing::Values(Update{{.kind = "sgd"}, {}},
                                         Update{{.kind = "sgd", .nesterov = true}, {}},
                                         Update{{.kind = "adamw"}, {}},
                                         Update{{.kind = "sgd"}, {.dense = true}},
                                         Update{{.kind = "sgd", .fused = false}, {.dense = true}},
                                         Update{{.kind = "adamw"}, {.dense = true}}),
                         [](const auto& at) {
                           const auto& rule = at.param.rule;
                           return std::string(at.param.update.dense ? "Dense" : "Sparse") + rule.kind +
                                  (rule.nesterov ? "Nesterov" : "") + (rule.fused ? "" : "Plain");
                         });

TEST_P(EveryClassUpdate, ChangesNothingInASkippedStep) {
  for (const auto gradients : {all_rows, some_rows}) {
    Centres skipping(GetParam().rule, GetParam().update), straight(GetParam().rule, GetParam().update);
    skipping.step(gradients(0), torch::zeros({}));
    straight.step(gradients(0));
    for (const float bad :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      auto spoilt = gradients(1);
      spoilt.values.fill_(bad);
      skipping.step(spoilt, torch::ones({}));
      EXPECT_TRUE(same_values(skipping.state(), straight.state()));
    }
    skipping.step(gradients(2), torch::zeros({}));
    straight.step(gradients(2));
    EXPECT_TRUE(same_values(skipping.state(), straight.state()));
  }
}

TEST_P(EveryClassUpdate, GoesOnFromItsSnapshotBitForBit) {
  Centres through(GetParam().rule, GetParam().update), stopped(GetParam().rule, GetParam().update),
      resumed(GetParam().rule, GetParam().update);
  for (int step = 0; step < 5; ++step) through.step(some_rows(step));
  for (int step = 0; step < 3; ++step) stopped.step(some_rows(step));
  Snapshot from, to;
  stopped.replicated.add_to(from);
  resumed.replicated.add_to(to);
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < from.replicated.size(); ++i)
    to.replicated[i].value.copy_(from.replicated[i].value);
  for (std::size_t i = 0; i < stopped.snapshot.by_class.size(); ++i)
    resumed.snapshot.by_class[i].rows.copy_(stopped.snapshot.by_class[i].rows);
  resumed.values.copy_(stopped.values);
  for (int step = 3; step < 5; ++step) resumed.step(some_rows(step));
  EXPECT_TRUE(same_values(resumed.state(), through.state()));
}

TEST_P(EveryClassUpdate, HasALearningRateAndADecayOfItsOwn) {
  auto own = GetParam().update;
  own.rate = 0.25;
  own.weight_decay = 0.5;
  auto rule = GetParam().rule;
  Centres centres(rule, own);
  rule.weight_decay = 0.5;
  Centres all(rule, GetParam().update);
  for (int step = 0; step < 4; ++step) {
    centres.step(some_rows(step));
    all.replicated.step(kRate);
    all.optimizer.step(0.25 * kRate, some_rows(step));
  }
  EXPECT_TRUE(same_values(centres.state(), all.state()));
}

class ClassRuleKind : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, ClassRuleKind, testing::Values("sgd", "adamw"));

TEST_P(ClassRuleKind, MovesAllRowsAlikeWhetherSparseOrDense) {
  Centres sparse({.kind = GetParam()}, {}), dense({.kind = GetParam()}, {.dense = true});
  const auto begun = sparse.values.clone();
  for (int step = 0; step < 10; ++step) {
    sparse.step(all_rows(step));
    dense.step(all_rows(step));
  }
  EXPECT_LT((sparse.values - dense.values).abs().max().item<double>(), 1e-7);
  EXPECT_EQ(torch::equal(sparse.values, dense.values), GetParam() == "sgd");
  EXPECT_GT((sparse.values - begun).abs().max().item<double>(), 1e-3);
}

TEST_P(ClassRuleKind, MovesUnsampledRowsOnlyWhenDense) {
  for (const bool dense : {false, true}) {
    Centres centres({.kind = GetParam(), .weight_decay = 0.1}, {.dense = dense});
    centres.step(all_rows(0));  // momentum to coast on
    const auto before = centres.state();
    centres.step(some_rows(0));  // rows 0, 3, 6
    const auto after = centres.state();
    for (std::int64_t row = 0; row < kClasses; ++row)
      for (std::size_t i = 0; i < after.size(); ++i)
        EXPECT_EQ(torch::equal(after[i][row], before[i][row]), !dense && row % 3 != 0) << row;
  }
}

TEST(ClassOptimizer, CountsTheUpdatesOfEachClassForAdamwAlone) {
  Centres counted({.kind = "adamw"}, {});
  counted.step(all_rows(0));
  counted.step(some_rows(0));
  counted.step(some_rows(1));
  EXPECT_TRUE(torch::equal(counted.held("steps"), torch::tensor({2, 2, 1, 2, 2, 1, 2, 2, 1}, torch::kInt32)));
  EXPECT_FALSE(Centres({.kind = "sgd"}, {}).held("steps").defined());
  EXPECT_FALSE(Centres({.kind = "adamw"}, {.dense = true}).held("steps").defined());
}

TEST(ClassOptimizer, NamesWhatItHoldsAfterTheWeightAtItsPlace) {
  const auto names = [](const std::string& kind) {
    std::vector<std::string> all;
    for (const auto& tensor : Centres({.kind = kind}, {}).snapshot.by_class) {
      EXPECT_EQ(tensor.first, 4);
      EXPECT_EQ(tensor.total, 50);
      EXPECT_TRUE(tensor.steady);
      all.push_back(tensor.name);
    }
    return all;
  };
  EXPECT_THAT(names("sgd"), ElementsAre("optimizer.momentum_buffer.centres"));
  EXPECT_THAT(names("adamw"), ElementsAre("optimizer.exp_avg.centres", "optimizer.exp_avg_sq.centres",
                                          "optimizer.steps.centres"));
}

TEST(ClassOptimizer, DoesNothingWithoutClasses) {
  AloneCommunicator alone;
  GradientBuckets buckets({{"weight", torch::zeros({3}, torch::requires_grad())}}, alone);
  Optimizer replicated({}, buckets);
  ClassOptimizer none({}, replicated, {});
  none.step(kRate, {});
  Snapshot snapshot;
  none.add_to(snapshot, {});
  EXPECT_TRUE(snapshot.by_class.empty());
}

TEST_P(ClassRuleKind, AllocatesNothingForClassesThatAreNotSampled) {
  Centres many({.kind = GetParam()}, {}, 100'000);
  many.step(some_rows(0));
  const auto gradient = some_rows(1);
  MemoryMeter meter(torch::kCPU);
  many.optimizer.step(kRate, gradient);
  EXPECT_LE(meter.peak(), 64);
}

}  // namespace
}  // namespace facemae
