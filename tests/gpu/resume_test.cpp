// Train, commit, resume with the communicator of GPUs: weights and moments are in device memory, other parts
// of a checkpoint in the host's.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "checkpoint/tensors/store.h"
#include "checkpoint/tensors/weights.h"
#include "cluster/tensors/alone.h"
#include "core/log.h"
#include "tests/gpu/one_gpu.h"
#include "tests/ranked/trainer/step/training_fixture.h"
#include "tests/temporary_folder.h"
#include "trainer/step/deterministic.h"

namespace facemae {
namespace {

using namespace trials;

/// One pretraining run that has all of a checkpoint's parts.
class Run {
 public:
  Run(Communicator& ranks, std::uint64_t seed) : ranks_(ranks), device_(ranks.device()) {
    task_ = make_task(pretrain_config_of(trial_), Parts::of_ranks(ranks), device_, seed);
    gradients_.emplace(task_->parameters(), ranks);
    optimizer_.emplace(OptimizerConfig{.kind = "adamw"}, *gradients_);
    task_->state(snapshot_);
    optimizer_->add_to(snapshot_);
    snapshot_.replicated.push_back({kTrainingIdentities, torch::zeros({5}, torch::kInt64), true});
    snapshot_.model_hash = "trial";
  }

  void train(std::uint64_t step) {
    TrialFaces faces(trial_, {.global_batch = trial_.global_batch, .micro_batches = 1, .world = 1}, 0, step,
                     device_);
    Step(*task_, faces, *gradients_, 1).compute(step);
    gradients_->check();
    const auto made = torch::zeros({}, device_);
    optimizer_->step(0.01);
    task_->end(made);
    snapshot_.step = step + 1;
  }
  Snapshot& snapshot() { return snapshot_; }
  std::vector<torch::Tensor> values() const {
    std::vector<torch::Tensor> all;
    for (const auto& tensor : snapshot_.replicated) all.push_back(tensor.value.detach().cpu().clone());
    return all;
  }

 private:
  const Trial trial_{.relation = "cosine", .global_batch = 6};
  Communicator& ranks_;
  torch::Device device_;
  std::unique_ptr<Task> task_;
  std::optional<GradientBuckets> gradients_;
  std::optional<Optimizer> optimizer_;
  Snapshot snapshot_;
};

void expect_resuming(Communicator& ranks) {
  torch::set_num_threads(1);
  spdlog::set_level(spdlog::level::off);
  const test::TemporaryFolder folder;
  AloneControl control;
  Run first(ranks, 3);
  first.snapshot().replicated.back().value.copy_(torch::arange(5));
  first.train(0);
  first.train(1);
  const auto saved = first.values();
  ASSERT_TRUE(CheckpointStore(folder.path(), control, real_files(), &ranks).save(first.snapshot(), 1));
  first.train(2);

  Run second(ranks, 4);
  CheckpointStore checkpoints(folder.path(), control, real_files(), &ranks);
  const auto newest = checkpoints.newest();
  ASSERT_TRUE(newest);
  EXPECT_EQ(checkpoints.restore(*newest, second.snapshot()), std::nullopt);
  EXPECT_EQ(second.snapshot().step, 2u);
  const auto loaded = second.values();
  ASSERT_EQ(loaded.size(), saved.size());
  for (std::size_t i = 0; i < saved.size(); ++i)
    EXPECT_TRUE(loaded[i].equal(saved[i])) << first.snapshot().replicated[i].name;
  second.train(2);
  const auto gone_on = second.values(), undisturbed = first.values();
  for (std::size_t i = 0; i < gone_on.size(); ++i)
    EXPECT_TRUE(gone_on[i].equal(undisturbed[i])) << first.snapshot().replicated[i].name;
}

TEST(Resume, OfOneProcessGoesOnFromWhatWasCommitted) {
  AloneCommunicator alone;
  expect_resuming(alone);
}

TEST(Resume, OnOneGpuOverNcclGoesOnFromWhatWasCommittedToTheLastBit) {
  compute_deterministically({torch::kCUDA, 0});  // before its first kernel; without it GPUs promise no bits
  test::OneGpu gpu;
  if (!gpu.lacking.empty()) GTEST_SKIP() << gpu.lacking;
  expect_resuming(gpu.link->gradients());
  gpu.link->gradients().check();
  gpu.link->close();
}

}  // namespace
}  // namespace facemae
