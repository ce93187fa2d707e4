#pragma once
// What a run is said to need, and what LibTorch allocates in it.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <numeric>

#include "cluster/mpi/mpi_communicator.h"
#include "trainer/step/memory_meter.h"
#include "trainer/step/memory_need.h"
#include "trainer/step/step.h"
#include "trainer/tasks/pretrain.h"
#include "trainer/tasks/recognize.h"

namespace facemae::trials {

struct MemoryTrial {
  std::string name, model;  ///< tiny, small: FaceMAE; iresnet...: recognition
  std::uint64_t batch = 32;
  int accumulate = 1, patch = 16;
  bool activation_checkpointing = false, shard = false;
};

constexpr std::int64_t kTrialClasses = 2000;
constexpr int kTrialSide = 112;

inline RunConfig run_config_of(const MemoryTrial& trial) {
  RunConfig run;
  run.batch = trial.batch;
  run.accumulate = trial.accumulate;
  run.shard_optimizer = trial.shard;
  run.bucket_mib = 25;
  run.optimizer.kind = trial.model.starts_with("iresnet") ? "sgd" : "adamw";
  return run;
}

inline std::unique_ptr<Task> make_task(const MemoryTrial& trial, Communicator& ranks) {
  if (trial.model.starts_with("iresnet")) {
    RecognizeConfig config;
    config.common = run_config_of(trial);
    auto network = make_network(trial.model, {.activation_checkpointing = trial.activation_checkpointing});
    network->initialise(1);
    return std::make_unique<RecognitionTraining>(
        std::move(network), ClassCentres(kTrialClasses, 16, 1, ranks, torch::kCPU), config, "trial",
        Parts::of_ranks(ranks), Precision::Float32, torch::kCPU);
  }
  PretrainConfig config;
  config.common = run_config_of(trial);
  FaceMaeConfig shape = face_mae_config(trial.model, kTrialSide, trial.patch);
  shape.activation_checkpointing = trial.activation_checkpointing;
  FaceMae model(shape);
  model->initialise(1);
  return std::make_unique<Pretraining>(std::move(model), random_embedder({.size = 56, .width = 16}), config,
                                       "trial", Parts::of_ranks(ranks), Precision::Float32, torch::kCPU);
}

/// Noise, micro-batch after micro-batch.
class MicroBatches final : public FaceSource {
 public:
  MicroBatches(const MemoryTrial& trial, Communicator& ranks)
      : plan_{.global_batch = trial.batch, .micro_batches = trial.accumulate, .world = ranks.size()},
        rank_(ranks.rank()) {}
  std::vector<Faces> next() override {
    const int micro = calls_++ % plan_.micro_batches;
    Faces faces;
    faces.ordinals = plan_.ordinals(0, micro, rank_);
    faces.rows_of_rank = plan_.rows_of_rank(micro);
    faces.micro = micro;
    const auto rows = static_cast<std::int64_t>(faces.ordinals.size());
    faces.images = torch::randn({rows, 3, kTrialSide, kTrialSide});
    faces.labels = torch::arange(rows, torch::kInt64);
    return {std::move(faces)};
  }

 private:
  BatchPlan plan_;
  int rank_, calls_ = 0;
};

/// A run, from its first tensor on.
struct TrialRun {
  TrialRun(const MemoryTrial& of, MpiCommunicator& in_graph, MpiCommunicator& reduction)
      : trial(of),
        ranks(in_graph),
        config(run_config_of(trial)),
        task(make_task(trial, ranks)),
        gradients(task->parameters(), reduction, config.buckets()),
        optimizer(config.optimizer_of_run(), gradients),
        class_optimizer({}, optimizer, task->classes().centres) {}

  MemoryNeed need() {
    Snapshot snapshot;
    task->state(snapshot);
    optimizer.add_to(snapshot);
    class_optimizer.add_to(snapshot, task->classes().at);
    const BatchPlan plan{
        .global_batch = trial.batch, .micro_batches = trial.accumulate, .world = ranks.size()};
    return memory_need({*task, gradients, gradients, optimizer, snapshot}, plan, kTrialSide, kTrialClasses,
                       ranks.rank());
  }
  void train(int steps) {
    MicroBatches faces(trial, ranks);
    Step step(*task, faces, gradients, trial.accumulate);
    for (int number = 0; number < steps; ++number) {
      step.compute(static_cast<std::uint64_t>(number));
      optimizer.step(1e-4);
      class_optimizer.step(1e-4, task->class_gradient());
      task->end(torch::zeros({}));
    }
  }

  MemoryTrial trial;
  MpiCommunicator& ranks;
  RunConfig config;
  std::unique_ptr<Task> task;
  GradientBuckets gradients;
  Optimizer optimizer;
  ClassOptimizer class_optimizer;
};

class Memory : public testing::TestWithParam<MemoryTrial> {
 protected:
  void SetUp() override { torch::set_num_threads(1); }

  void expect_foreseen() {
    using std::chrono::minutes;
    MpiCommunicator in_graph("in graph", minutes(5)), reduction("reduction", minutes(5));
    const MemoryNeed need = TrialRun(GetParam(), in_graph, reduction).need();
    MemoryMeter meter(torch::kCPU);
    TrialRun(GetParam(), in_graph, reduction).train(2);
    const auto taken = static_cast<double>(meter.peak()), said = static_cast<double>(need.in_step());
    RecordProperty("said / taken", std::to_string(said / taken));
    std::printf("%s: said %.1f MB, taken %.1f MB, ratio %.3f\n", GetParam().name.c_str(), said / 1e6,
                taken / 1e6, said / taken);
    EXPECT_NEAR(said / taken, 1, 0.15);
    EXPECT_GT(need.activations, need.weights / 4) << "there is nothing to foresee";
    EXPECT_EQ(need.logits > 0, GetParam().model.starts_with("iresnet"));
  }
};

}  // namespace facemae::trials
