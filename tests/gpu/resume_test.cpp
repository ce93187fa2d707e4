// Train, commit, resume with the communicator of GPUs: weights and moments are in device memory, other parts
// of a checkpoint in the host's.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "checkpoint/tensors/store.h"
#include "checkpoint/tensors/weights.h"
#include "cluster/nccl/nccl_communicator.h"
#include "cluster/tensors/alone.h"
#include "cluster/world/device.h"
#include "core/log.h"
#include "tests/ranked/trainer/step/training_fixture.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using namespace trials;

/// One pretraining run that has all of a checkpoint's parts.
class Run {
 public:
  Run(Communicator& ranks, std::uint64_t seed) : ranks_(ranks), device_(ranks.device()) {
    model_->initialise(seed);
    model_->to(device_);
    auto embedder = trial_embedder();
    embedder->to(device_);
    task_.emplace(model_, std::move(embedder), settings_of(trial_), ranks, Precision::Float32, device_);
    gradients_.emplace(task_->parameters(), ranks);
    optimizer_.emplace(OptimizerConfig{.kind = "adamw"}, *gradients_, torch::Tensor());
    task_->add_to(snapshot_);
    optimizer_->add_to(snapshot_, nullptr);
    snapshot_.replicated.push_back({kTrainingIdentities, torch::zeros({5}, torch::kInt64), true});
    snapshot_.model_hash = "trial";
  }

  void train(std::uint64_t step) {
    const BatchPlan plan{.global_batch = trial_.global_batch, .micro_batches = 1, .world = 1};
    Faces faces = faces_of(trial_, plan, step, 0, 0);
    faces.images = faces.images.to(device_);
    faces.labels = faces.labels.to(device_);
    gradients_->zero();
    task_->begin_step(step);
    const auto share = task_->loss_share(faces);
    gradients_->reduce_next();
    share.backward();
    gradients_->wait();
    gradients_->check();
    optimizer_->step(0.01);
    task_->end_step();
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
  FaceMae model_ = trial_model();
  std::optional<Pretraining> task_;
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
  second.train(2);  // GPUs do not promise the same bits
  const auto gone_on = second.values(), undisturbed = first.values();
  for (std::size_t i = 0; i < gone_on.size(); ++i)
    EXPECT_TRUE(torch::allclose(gone_on[i], undisturbed[i], 1e-4, 1e-5))
        << first.snapshot().replicated[i].name;
}

TEST(Resume, OfOneProcessGoesOnFromWhatWasCommitted) {
  AloneCommunicator alone;
  expect_resuming(alone);
}

TEST(Resume, OnOneGpuOverNcclGoesOnFromWhatWasCommitted) {
#ifdef FACEMAE_HAS_NCCL
  (void)load_cuda_if_present({});
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device on this machine";
  use_device({torch::kCUDA, 0});
  AloneControl control;
  NcclCommunicator ranks(nccl::real_api(), cuda_streams(0), control,
                         NcclCommunicator::Options{.deadline = std::chrono::seconds(60)});
  expect_resuming(ranks);
  ranks.check();
  ranks.close();
#else
  GTEST_SKIP() << "built without NCCL";
#endif
}

}  // namespace
}  // namespace facemae
