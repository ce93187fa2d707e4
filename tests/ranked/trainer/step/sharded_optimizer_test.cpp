// A sharded optimizer is the whole one cut up: it ends in the same bits where sums are exact, and each goes on from the
// checkpoints of the other. Ranks are threads, because one mpirun cannot save with W ranks and load with W'.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <mutex>
#include <set>

#include "tests/ranked/checkpoint/tensors/thread_communicator.h"
#include "tests/unit/checkpoint/tensors/fixture.h"
#include "trainer/step/optimizer.h"

namespace facemae {
namespace {

using namespace test;

constexpr double kRate = 0.05;

OptimizerConfig config_of(const std::string& kind) { return {.kind = kind, .weight_decay = 0.1}; }

/// One rank of a small training. Gradients are whole numbers, of which each of 1, 2 or 4 ranks gives its share without
/// rounding.
struct Rank {
  Rank(Control& control, const std::string& kind, bool shard)
      : ranks(control, torch::kCPU),
        weight(torch::linspace(-1, 1, 7 * 21).view({7, 21}).clone().requires_grad_(true)),
        wide(torch::linspace(-2, 2, 901).clone().requires_grad_(true)),
        bias(torch::linspace(0.5, 2, 13).clone().requires_grad_(true)),
        buckets({{"weight", weight}, {"bias", bias, false}, {"wide", wide}}, ranks,
                {.bytes = 1024, .first_bytes = 256, .shard = shard}),
        optimizer(config_of(kind), buckets) {
    snapshot.replicated = {{"model.weight", weight}, {"model.wide", wide}, {"model.bias", bias}};
    snapshot.model_hash = "three tensors";
    optimizer.add_to(snapshot);
  }

  void step(int number) {
    buckets.begin();
    buckets.reduce_next();
    torch::Tensor loss = torch::zeros({});
    for (const auto& value : {weight, wide, bias}) {
      const auto slopes = torch::arange(value.numel()).add(number).remainder(5).sub(2).view(value.sizes());
      loss = loss + (value * (slopes.to(torch::kFloat32) / ranks.size())).sum();
    }
    loss.backward();
    buckets.finish();
    norm = buckets.norm().item<double>();
    optimizer.step(kRate, {.clip = torch::tensor(0.5f)});
  }
  void run(int from, int to) {
    for (int number = from; number < to; ++number) step(number);
  }
  std::vector<torch::Tensor> state() {
    optimizer.gather();
    std::vector<torch::Tensor> all;
    for (const auto& tensor : snapshot.replicated) all.push_back(tensor.value.detach().clone());
    return all;
  }

  ThreadCommunicator ranks;
  torch::Tensor weight, wide, bias;
  GradientBuckets buckets;
  Optimizer optimizer;
  Snapshot snapshot;
  double norm = 0;
};

bool same(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return torch::equal(x, y); });
}

class Sharded : public testing::TestWithParam<std::string> {
 protected:
  /// What one rank reaches in five steps, and its last norm.
  void SetUp() override {
    run_ranks(1, [&](Control& control) {
      Rank alone(control, GetParam(), false);
      const auto begun = alone.state();
      alone.run(0, 5);
      straight = alone.state();
      norm = alone.norm;
      EXPECT_FALSE(same(begun, straight));
    });
  }
  std::vector<torch::Tensor> straight;
  double norm = 0;
};
INSTANTIATE_TEST_SUITE_P(, Sharded, testing::Values("adamw", "sgd"),
                         [](const auto& kind) { return kind.param; });

TEST_P(Sharded, EndsInTheBitsOfTheWholeOneWithItsPartOfTheMoments) {
  for (const int size : {1, 2, 4}) {
    std::mutex one_by_one;
    run_ranks(size, [&](Control& control) {
      Rank rank(control, GetParam(), true);
      rank.run(0, 5);
      const auto held =
          rank.snapshot.replicated[3].value.storage().nbytes();  // a moment, as a checkpoint has it
      const auto state = rank.state();
      const std::lock_guard lock(one_by_one);
      EXPECT_TRUE(same(state, straight)) << size << " ranks";
      EXPECT_NEAR(rank.norm, norm, 1e-5 * norm);
      EXPECT_EQ(rank.buckets.sharded(), size > 1);
      EXPECT_EQ(held == 0, size > 1) << "whole moments are held only for a checkpoint";
      for (const auto& bucket : rank.buckets.buckets())
        EXPECT_EQ(bucket.own_values.numel() * size, bucket.values.numel());
    });
  }
}

TEST_P(Sharded, SkipsAStepOnAllRanks) {
  run_ranks(2, [&](Control& control) {
    Rank rank(control, GetParam(), true);
    rank.run(0, 2);
    const auto before = rank.state();
    rank.weight.mutable_grad().fill_(1);
    rank.optimizer.step(kRate, {.found_inf = torch::ones({})});
    EXPECT_TRUE(same(rank.state(), before));
  });
}

TEST_P(Sharded, GoesOnFromTheCheckpointsOfAnyNumberOfRanksShardedOrNot) {
  const Quiet quiet;
  QuickFiles files;
  std::set<std::string> roots;
  for (const int saved_by : {1, 2, 4})
    for (const bool saved_sharded : {false, true}) {
      const TemporaryFolder folder;
      run_ranks(saved_by, [&](Control& control) {
        Rank rank(control, GetParam(), saved_sharded);
        rank.run(0, 3);
        rank.optimizer.gather();
        rank.snapshot.step = 3;
        CheckpointStore store(folder.path(), control, files);
        EXPECT_TRUE(store.save(rank.snapshot, 1));
      });
      for (const int loaded_by : {1, 2, 4}) {
        std::mutex one_by_one;
        run_ranks(loaded_by, [&](Control& control) {
          Rank rank(control, GetParam(), !saved_sharded);
          CheckpointStore store(folder.path(), control, files, &rank.ranks);
          rank.optimizer.gather();
          const auto info = load_newest(store, rank.snapshot);
          rank.optimizer.take_own();
          rank.run(3, 5);
          const auto state = rank.state();
          const std::lock_guard lock(one_by_one);
          ASSERT_TRUE(info);
          roots.insert(info->root_hash);
          EXPECT_TRUE(same(state, straight)) << saved_by << " ranks, then " << loaded_by;
        });
      }
    }
  EXPECT_EQ(roots.size(), 1u) << "a checkpoint tells how the optimizer was cut up";
}

}  // namespace
}  // namespace facemae
