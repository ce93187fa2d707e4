// BatchNorm's running statistics after a step are the mean over ranks, weighted by their images.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cluster/mpi/mpi_communicator.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

std::shared_ptr<RecognitionNetwork> new_network() {
  auto network = make_network("iresnet-tiny");
  network->initialise(5);
  network->train();
  return network;
}

/// All floating-point buffers, one after the other.
torch::Tensor statistics_of(RecognitionNetwork& network) {
  std::vector<torch::Tensor> flat;
  for (const auto& item : network.named_buffers())
    if (item.value().is_floating_point()) flat.push_back(item.value().flatten());
  return torch::cat(flat).clone();
}

TEST(RunningStatistics, AreTheMeanOverRanksWeightedByTheirImages) {
  torch::set_num_threads(1);
  MpiCommunicator ranks("ranks", std::chrono::minutes(1));
  const Trial trial{.recognition = true, .global_batch = 11};  // which 2, 3 and 4 ranks do not divide
  const BatchPlan plan{.global_batch = trial.global_batch, .micro_batches = 1, .world = ranks.size()};
  const auto network = new_network();
  RecognizeConfig config = recognize_config_of(trial);
  config.batch_norm = "local";
  RecognitionTraining training(network, ClassCentres(11, 5, 5, ranks, torch::kCPU), config, "trial",
                               Parts::of_ranks(ranks), Precision::Float32, torch::kCPU);
  training.begin(0);
  training.forward(faces_of(trial, plan, 0, 0, ranks.rank()));
  training.end(torch::zeros({}));

  // By hand: every rank's images through a network of its own.
  torch::Tensor weighted, plain;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    const auto images = faces_of(trial, plan, 0, 0, rank).images;
    const auto alone = new_network();
    alone->forward(images);
    const auto own = statistics_of(*alone).to(torch::kFloat64);
    const double share = static_cast<double>(images.size(0)) / static_cast<double>(trial.global_batch);
    weighted = weighted.defined() ? weighted + share * own : share * own;
    plain = plain.defined() ? plain + own / ranks.size() : own / ranks.size();
  }
  const auto got = statistics_of(*network).to(torch::kFloat64);
  EXPECT_LT((got - weighted).abs().max().item<double>(), 1e-5);
  if (ranks.size() > 1) {
    EXPECT_GT((plain - weighted).abs().max().item<double>(), 1e-4) << "this would not see a plain mean";
  }
  EXPECT_GT((statistics_of(*new_network()).to(torch::kFloat64) - got).abs().max().item<double>(), 1e-3);
}

TEST(RunningStatistics, AreOneTensorUnderTheNamesAndValuesThatTheyHad) {
  MpiCommunicator ranks("ranks", std::chrono::minutes(1));
  const auto network = new_network(), plain = new_network();
  RecognitionTraining training(network, ClassCentres(11, 5, 5, ranks, torch::kCPU),
                               recognize_config_of({.recognition = true}), "trial", Parts::of_ranks(ranks),
                               Precision::Float32, torch::kCPU);
  std::set<const void*> memory;
  for (const auto& item : network->named_buffers())
    if (item.value().is_floating_point()) memory.insert(item.value().storage().data());
  EXPECT_EQ(memory.size(), 1u);
  Snapshot snapshot;
  training.state(snapshot);
  for (const auto& item : plain->named_buffers()) {
    const auto found = std::find_if(snapshot.replicated.begin(), snapshot.replicated.end(),
                                    [&](const auto& tensor) { return tensor.name == "model." + item.key(); });
    ASSERT_NE(found, snapshot.replicated.end()) << item.key();
    EXPECT_TRUE(torch::equal(found->value, item.value())) << item.key();
  }
}

}  // namespace
}  // namespace facemae::trials
