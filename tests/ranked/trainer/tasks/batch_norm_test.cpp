// --batch-norm sync and ghost:N: a step on any number of ranks is that of one process on the whole batch.
#include <gtest/gtest.h>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

using Named = std::map<std::string, torch::Tensor>;

struct NormStep {
  Named gradients, statistics;
};

/// A step, and another that is skipped.
NormStep step_with(const std::string& batch_norm, const Trial& trial, Communicator& ranks) {
  RecognizeConfig config = recognize_config_of(trial);
  config.batch_norm = batch_norm;
  const auto task = make_task(config, Parts::of_ranks(ranks));
  GradientBuckets buckets(task->parameters(), ranks, trial.buckets);
  TrialFaces faces(trial, plan_of(trial, ranks.size()), ranks.rank());
  Step step(*task, faces, buckets, trial.micro_batches);
  NormStep result;
  const auto statistics = [&] {
    Named all;
    Snapshot snapshot;
    task->state(snapshot);
    for (const auto& tensor : snapshot.replicated)
      if (tensor.name.find(".running_") != std::string::npos) all[tensor.name] = tensor.value.clone();
    return all;
  };
  step.compute(0);
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) result.gradients[slot.name] = slot.value.grad().clone();
  task->end(torch::zeros({}));
  result.statistics = statistics();
  step.compute(1);
  task->end(torch::ones({}));
  for (const auto& [name, value] : statistics())
    EXPECT_TRUE(torch::equal(value, result.statistics.at(name))) << name << " moved in a skipped step";
  return result;
}

double apart(const Named& some, const Named& others) {
  double apart = 0, whole = 0;
  for (const auto& [name, value] : others) whole += value.pow(2).sum().item<double>();
  for (const auto& [name, value] : others)
    apart = std::max(apart, test::relative_distance(some.at(name), value, 1e4 * std::sqrt(whole)));
  return apart;
}

struct NormTrial {
  std::string batch_norm;
  std::uint64_t batch;
  std::string network = "ir18";
};
class BatchNormOverRanks : public testing::TestWithParam<NormTrial> {};

TEST_P(BatchNormOverRanks, DoesNotDependOnHowManyTheyAre) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  MpiCommunicator ranks("ranks", std::chrono::minutes(1));
  const auto& [batch_norm, batch, network] = GetParam();
  const Trial trial{.recognition = true,
                    .global_batch = batch,
                    .micro_batches = batch_norm == "sync" ? 2 : 1,
                    .network = network};
  const NormStep one = step_with(batch_norm, trial, alone), many = step_with(batch_norm, trial, ranks);
  EXPECT_LT(apart(many.gradients, one.gradients), 1e-3);
  EXPECT_LT(apart(many.statistics, one.statistics), 1e-5);
  if (batch_norm == "sync" && ranks.size() > 1) {
    const NormStep local = step_with("local", trial, ranks);
    EXPECT_GT(apart(local.gradients, one.gradients), 1e-1) << "this would not see other statistics";
  }
}
// 13 faces are unequal parts; 24 in groups of 2 and 96 in groups of 8 are whole groups on 1 to 4 ranks.
INSTANTIATE_TEST_SUITE_P(Training, BatchNormOverRanks,
                         testing::Values(NormTrial{"sync", 26}, NormTrial{"ghost:2", 24},
                                         NormTrial{"ghost:8", 96, "vit-t"}),
                         [](const auto& trial) {
                           std::string name = trial.param.batch_norm;
                           std::erase(name, ':');
                           return name;
                         });

}  // namespace
}  // namespace facemae::trials
