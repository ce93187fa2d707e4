// The gradient of a global batch is that of one process holding all of it, for any number of ranks; and the
// comparison notices when a part of the mathematics is wrong.
#include <gtest/gtest.h>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

using std::chrono::minutes;

class GlobalBatch : public testing::TestWithParam<Trial> {
 protected:
  void SetUp() override { torch::set_num_threads(1); }
};

void expect_equal(const Trained& ranks, const Trained& one) {
  EXPECT_NEAR(ranks.loss, one.loss, 1e-5 * std::abs(one.loss));
  EXPECT_LT(worst_gradient(ranks, one), 1e-5);
  EXPECT_LT(worst_value(ranks, one), 1e-6);
  EXPECT_GT(largest_difference(one.values, one.initial), 1e-4) << "the steps hardly moved anything";
}

TEST_P(GlobalBatch, GivesTheGradientsAndWeightsOfOneProcess) {
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", minutes(1)), reduction("reduction", minutes(1));
  const Trained one = train(GetParam(), alone, alone);
  const Trained ranks = train(GetParam(), in_graph, reduction);
  expect_equal(ranks, one);
}

std::vector<Trial> trials() {
  std::vector<Trial> all;
  for (const int micro_batches : {1, 3})
    for (const std::string& relation : relation_names())
      // 14 in 3 parts: micro-batches of 4, 5 and 5, which 2, 3 and 4 ranks do not divide alike.
      all.push_back({.relation = relation,
                     .global_batch = micro_batches == 1 ? 10u : 14u,
                     .micro_batches = micro_batches});
  all.push_back({.relation = "cosine", .global_batch = 20, .blend = "people:2"});
  all.push_back({.relation = "pkt", .global_batch = 60, .micro_batches = 3, .blend = "people:4"});
  all.push_back({.relation = "cosine", .global_batch = 20, .code = true});
  all.push_back({.relation = "none", .global_batch = 10, .linkage_weight = "0.5"});
  all.push_back({.relation = "distance", .global_batch = 14, .micro_batches = 3, .linkage_weight = "0.5"});
  all.push_back({.relation = "cosine", .global_batch = 20, .blend = "people:2", .linkage_weight = "0.5"});
  for (const int micro_batches : {1, 3})
    all.push_back({.recognition = true, .global_batch = 13, .micro_batches = micro_batches, .steps = 3});
  all.push_back(
      {.recognition = true, .global_batch = 13, .micro_batches = 3, .steps = 3, .network = "vit-t"});
  return all;
}
INSTANTIATE_TEST_SUITE_P(Losses, GlobalBatch, testing::ValuesIn(trials()), [](const auto& trial) {
  return (trial.param.recognition ? "recognition" : trial.param.relation) +
         (trial.param.network == "vit-t" ? "WithDraws" : "") + (trial.param.blend.empty() ? "" : "OfBlends") +
         (trial.param.code ? "OfCodes" : "") + (trial.param.linkage_weight.empty() ? "" : "AndLinkage") +
         std::to_string(trial.param.micro_batches);
});

TEST(RelationBatchGlobal, GivesTheSameInThreeMicroBatchesAsInOne) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", minutes(1)), reduction("reduction", minutes(1));
  for (const std::string& relation : relation_names()) {
    if (relation == "none") continue;
    const Trained one = train({.relation = relation, .global_batch = 14}, alone, alone);
    const Trained ranks = train(
        {.relation = relation, .global_batch = 14, .micro_batches = 3, .relation_over_global_batch = true},
        in_graph, reduction);
    SCOPED_TRACE(relation);
    expect_equal(ranks, one);
  }
}

/// A communicator with one planted fault.
class Broken final : public Communicator {
 public:
  enum class Fault { AveragesGradients, GatherBackwardKeepsOwn };
  Broken(Communicator& sound, Fault fault) : sound_(sound), fault_(fault) {}
  int rank() const noexcept override { return sound_.rank(); }
  int size() const noexcept override { return sound_.size(); }
  torch::Device device() const noexcept override { return sound_.device(); }
  Work all_reduce(torch::Tensor tensor, Reduce op) override {
    sound_.all_reduce(tensor, op).wait();
    if (fault_ == Fault::AveragesGradients && op == Reduce::Sum) tensor.div_(size());
    return {};
  }
  Work all_gather(torch::Tensor out, torch::Tensor in) override { return sound_.all_gather(out, in); }
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override {
    if (fault_ != Fault::GatherBackwardKeepsOwn) return sound_.reduce_scatter(out, in, op);
    out.copy_(in.view({size(), -1})[rank()].view_as(out));
    return {};
  }
  Work broadcast(torch::Tensor tensor, int root) override { return sound_.broadcast(tensor, root); }
  void abort() noexcept override { sound_.abort(); }

 private:
  Communicator& sound_;
  Fault fault_;
};

TEST(TheComparison, NoticesAWrongReductionAWrongGatherAndAWrongDenominator) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", minutes(1)), reduction("reduction", minutes(1));
  if (in_graph.size() == 1) GTEST_SKIP() << "one rank has nothing to reduce";
  const Trial trial{.relation = "cosine", .global_batch = 10, .steps = 1};
  const Trained one = train(trial, alone, alone);

  Broken averaging(reduction, Broken::Fault::AveragesGradients);
  EXPECT_GT(worst_gradient(train(trial, in_graph, averaging), one), 1e-3);
  Broken keeping(in_graph, Broken::Fault::GatherBackwardKeepsOwn);
  EXPECT_GT(worst_gradient(train(trial, keeping, reduction), one), 1e-3);
  // A share that divides by its own rows instead of the step's.
  Trial own_rows = trial;
  own_rows.relation = "none";
  const Trained whole = train(own_rows, alone, alone);
  const auto task =
      make_task({.relation = "none", .global_batch = 10u / static_cast<unsigned>(in_graph.size())},
                Parts::of_ranks(in_graph));
  const BatchPlan plan{.global_batch = 10, .micro_batches = 1, .world = in_graph.size()};
  GradientBuckets buckets(task->parameters(), reduction);
  TrialFaces faces(own_rows, plan, in_graph.rank());
  Step(*task, faces, buckets, 1).compute(0);
  Trained wrong;
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) wrong.gradients[slot.name] = slot.value.grad().clone();
  EXPECT_GT(worst_gradient(wrong, whole), 1e-3);
}

}  // namespace
}  // namespace facemae::trials
