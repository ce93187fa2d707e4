// --exact: weights, moments and statistics have the bits of one process on any number of ranks, and the
// comparison notices a sum in another order.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "core/kinds.h"
#include "model/softmax/margins.h"
#include "tests/ranked/trainer/step/exact_fixture.h"

namespace facemae::trials {
namespace {

using std::chrono::minutes;
using Names = std::vector<std::string>;

const std::string kKernels = fix_instruction_set();  // before the first call of LibTorch

struct Exact : testing::TestWithParam<std::pair<std::string, ExactTrial>> {
  void SetUp() override { torch::set_num_threads(1); }
};

TEST_P(Exact, HasTheBitsOfOneProcess) {
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", minutes(1)), reduction("reduction", minutes(1));
  const auto& trial = GetParam().second;
  const ExactState one = train_exactly(trial, alone, alone);
  EXPECT_EQ(differences(train_exactly(trial, in_graph, reduction), one), Names());

  for (const auto& [name, value] : one.replicated) {
    if (!name.starts_with("optimizer.")) continue;
    EXPECT_TRUE(value.ne(0).any().item<bool>()) << name << " does not move";
  }
}

std::vector<std::pair<std::string, ExactTrial>> trials() {
  const OptimizerConfig adamw{.kind = "adamw"};
  std::vector<std::pair<std::string, ExactTrial>> all;
  for (const std::string& relation : relation_names()) {
    all.push_back({relation + "InOneMicroBatchByAdamW",
                   {.trial = {.relation = relation, .global_batch = 19}, .slots = 8, .optimizer = adamw}});
    all.push_back({relation + "InThreeMicroBatchesBySgd",
                   {.trial = {.relation = relation, .global_batch = 14, .micro_batches = 3}}});
    if (relation == "none") continue;
    all.push_back({relation + "CentredOverTheGlobalBatch",
                   {.trial = {.relation = relation,
                              .global_batch = 14,
                              .micro_batches = 3,
                              .relation_over_global_batch = true},
                    .center = true,
                    .optimizer = adamw}});
  }
  all.push_back(
      {"weightOfAThird", {.trial = {.relation = "cosine", .global_batch = 9}, .relation_weight = "0.3"}});
  all.push_back({"automaticWeightAndClip",
                 {.trial = {.relation = "distance", .global_batch = 10, .automatic_ratio = 0.3},
                  .optimizer = adamw,
                  .clip = 0.05}});
  all.push_back(
      {"blendsInTwoMicroBatchesByAdamW",
       {.trial = {.relation = "cosine", .global_batch = 40, .micro_batches = 2, .blend = "people:2"},
        .optimizer = adamw}});
  all.push_back(
      {"codesAndLinkage",
       {.trial = {.relation = "cosine", .global_batch = 20, .code = true, .linkage_weight = "0.7"}}});
  for (const std::string& margin : names_of(margin_kinds())) {
    all.push_back(
        {margin + "BySgd",
         {.trial = {.recognition = true, .global_batch = 9, .steps = 2}, .margin = margin, .clip = 0.1}});
    all.push_back({margin + "InTwoMicroBatchesByAdamW",
                   {.trial = {.recognition = true, .global_batch = 17, .micro_batches = 2, .steps = 2},
                    .margin = margin,
                    .classes = 7,
                    .class_shards = 13,
                    .optimizer = adamw}});
  }
  for (const std::string margin : {"arcface", "adaface"})
    all.push_back(
        {margin + "OverAThirdOfTheClasses",
         {.trial =
              {.recognition = true, .global_batch = 17, .micro_batches = 2, .steps = 3, .sample_rate = 0.3},
          .margin = margin}});
  for (const std::string kind : {"sgd", "adamw"})
    all.push_back({"denseClassUpdatesBy" + kind,
                   {.trial = {.recognition = true, .global_batch = 9, .steps = 2},
                    .classes = 7,
                    .class_shards = 13,
                    .optimizer = {.kind = kind, .fused = false},
                    .class_update = {.dense = true}}});
  all.push_back({"frozenBatchNorm",
                 {.trial = {.recognition = true, .global_batch = 6, .steps = 2}, .batch_norm = "frozen"}});
  all.push_back({"ghostNorms",
                 {.trial = {.recognition = true, .global_batch = 16, .steps = 2, .network = "ir18"},
                  .batch_norm = "ghost:2"}});
  all.push_back(
      {"pathsAndTokens",
       {.trial = {
            .recognition = true, .global_batch = 17, .micro_batches = 2, .steps = 2, .network = "vit-t"}}});
  return all;
}
INSTANTIATE_TEST_SUITE_P(Trials, Exact, testing::ValuesIn(trials()), [](const auto& tested) {
  std::string name = tested.param.first;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(TheComparisonOfBits, NoticesAPlainAllReduce) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", minutes(1)), reduction("reduction", minutes(1));
  if (in_graph.size() == 1) GTEST_SKIP() << "one rank has nothing to reduce";
  const ExactTrial trial{.trial = {.relation = "cosine", .global_batch = 16, .steps = 1}, .slots = 16};
  const ExactState one = train_exactly(trial, alone, alone);
  const ExactState plain = train_exactly(trial, in_graph, reduction, /*by_all_reduce=*/true);
  EXPECT_NE(differences(plain, one), Names());
  EXPECT_NE(differences(plain, train_exactly(trial, alone, alone, /*by_all_reduce=*/true)), Names());
}

TEST(TheComparisonOfBits, NoticesOtherSlots) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  const ExactTrial four{.trial = {.relation = "none", .global_batch = 16, .steps = 1}};
  ExactTrial eight = four;
  eight.slots = 8;
  EXPECT_NE(differences(train_exactly(four, alone, alone), train_exactly(eight, alone, alone)), Names());
}

TEST(Exactly, TrainsAsTheOrdinaryStepDoesUpToTheOrderOfSums) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", minutes(1)), reduction("reduction", minutes(1));
  std::vector<Trial> ordinary;
  for (const std::string& relation : relation_names()) {
    ordinary.push_back({.relation = relation, .global_batch = 14, .micro_batches = 3});
    if (relation == "none") continue;
    ordinary.push_back(
        {.relation = relation, .global_batch = 14, .micro_batches = 3, .relation_over_global_batch = true});
  }
  ordinary.push_back({.relation = "cosine", .global_batch = 10, .automatic_ratio = 0.3});
  ordinary.push_back({.recognition = true, .global_batch = 13, .micro_batches = 2});
  for (const auto& trial : ordinary) {
    SCOPED_TRACE(trial.recognition ? "recognition" : trial.relation);
    const Trained want = train(trial, alone, alone);
    const ExactState got = train_exactly({.trial = trial, .batch_norm = "frozen"}, in_graph, reduction);
    EXPECT_NEAR(got.losses.front(), want.loss, 1e-5 * std::abs(want.loss));
    for (const auto& [name, value] : want.values) {
      if (name == "centres") continue;
      const double moved = (value - want.initial.at(name)).norm().item<double>(),
                   apart = (value - got.replicated.at("model." + name)).norm().item<double>(),
                   rounding =
                       trial.steps * std::numeric_limits<float>::epsilon() * value.norm().item<double>();
      EXPECT_LT(apart, 1e-4 * moved + rounding + 1e-6) << name;
    }
    if (!trial.recognition) continue;
    const auto& own = got.by_class.at("centres");
    EXPECT_TRUE(torch::allclose(own.rows, want.values.at("centres").narrow(0, own.first, own.rows.size(0)),
                                1e-4, 1e-6));
  }
}

TEST(Exactly, FollowsTheBatchStatisticsOncePerStepAndTakesThemBackWithASkippedOne) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  const ExactTrial trial{.trial = {.recognition = true, .global_batch = 16, .micro_batches = 2}};
  const BatchPlan plan{.global_batch = 16, .micro_batches = 2, .world = 1, .slots = 4};
  const auto task = make_exact_task(trial, alone);
  GradientBuckets buckets(task->parameters(), alone);
  SlotGradients slots(buckets, 4, alone);
  Optimizer optimizer(trial.optimizer, buckets);
  Snapshot live;
  task->state(live);
  const auto statistics = [&] {
    std::map<std::string, torch::Tensor> found;
    for (const auto& [name, value, steady] : live.replicated)
      if (name.find("running") != std::string::npos || name.ends_with("tracked")) found[name] = value.clone();
    return found;
  };
  const auto before = statistics();
  for (const bool skipped : {true, false}) {
    SlotFaces faces(trial, plan, 0);
    Step(*task, faces, slots, 2).compute(0);
    task->end(torch::full({}, skipped ? 1.0F : 0.0F));
    for (const auto& [name, value] : statistics()) {
      EXPECT_EQ(same_bits(value, before.at(name)), skipped) << name;
      if (!skipped && name.ends_with("tracked")) {
        EXPECT_EQ(value.item<std::int64_t>(), 1);
      }
    }
  }
  // The first norm sees the images after one convolution, whose weights have not moved: its mean over slots
  // of equal rows is that over the images.
  auto network = make_network("iresnet-tiny");
  network->initialise(5);
  network->train();
  auto images =
      torch::cat({faces_of(trial.trial, plan, 0, 0, 0).images, faces_of(trial.trial, plan, 0, 1, 0).images});
  network->forward(images);
  for (const auto& item : network->named_buffers())
    if (item.key() == "bn1.running_mean") {
      EXPECT_TRUE(torch::allclose(statistics().at("model.bn1.running_mean"), item.value(), 1e-4, 1e-6));
    }
}

TEST(Exactly, ComputesWithTheKernelsThatWereFixed) {
  if (kKernels.find("avx2") == std::string::npos) GTEST_SKIP() << "this processor has no AVX2";
  EXPECT_EQ(at::get_cpu_capability(), "AVX2");
}

}  // namespace
}  // namespace facemae::trials
