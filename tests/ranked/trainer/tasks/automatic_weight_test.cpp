// --relation-weight auto:R holds the relation's gradient at R times the pixel gradient, for
// any number of ranks.
#include <gtest/gtest.h>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

constexpr double kRatio = 0.3;

/// The weight by its definition: the two losses as functions of the rebuilt images alone.
double weight_by_definition(const Trial& trial, Communicator& alone) {
  const BatchPlan plan{.global_batch = trial.global_batch, .micro_batches = 1, .world = 1};
  const Faces faces = faces_of(trial, plan, 0, 0, 0);
  FaceMae model = trial_model();
  std::vector<std::uint64_t> keys;
  for (const auto ordinal : faces.ordinals) keys.push_back(mask_key(3, ordinal));
  const Masked mask = random_masks(keys, model->config.patches(), 0.75, torch::kCPU);
  torch::Tensor predicted;  // as images; what the embedder sees is clamped to the image range
  {
    torch::NoGradGuard no_grad;
    predicted = model->unpatchify(model->decode(model->encode(faces.images, mask), mask));
  }
  auto rebuilt = predicted.clamp(-1, 1).requires_grad_(true);
  predicted.requires_grad_(true);
  const auto embedder = trial_embedder();
  embedder->at_step(0);
  const auto norm = [](const torch::Tensor& loss, const torch::Tensor& at) {
    return torch::autograd::grad({loss}, {at}).front().norm().item<double>();
  };
  const double pixel = norm((predicted - faces.images).pow(2).mean(), predicted);
  const auto relation = relation_share(embedder->embed(faces.images).detach(), embedder->embed(rebuilt),
                                       relation_from(trial.relation), false, alone, faces.rows_of_rank);
  return kRatio * pixel / norm(relation.share, rebuilt);
}

TEST(AutomaticWeight, IsTheRatioOfTheGradientNormsOnAnyNumberOfRanks) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", std::chrono::minutes(1)),
      reduction("reduction", std::chrono::minutes(1));
  const Trial trial{.relation = "cosine", .global_batch = 10, .steps = 1, .automatic_ratio = kRatio};
  const double wanted = weight_by_definition(trial, alone);
  const Trained ranks = train(trial, in_graph, reduction);
  EXPECT_GT(wanted, 0);
  EXPECT_NEAR(ranks.automatic_weight, wanted, 1e-4 * wanted);
}

TEST(AutomaticWeight, ChangesTheGradientsAlikeOnAnyNumberOfRanks) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", std::chrono::minutes(1)),
      reduction("reduction", std::chrono::minutes(1));
  const Trial trial{.relation = "cosine", .global_batch = 10, .steps = 3, .automatic_ratio = kRatio};
  const Trained one = train(trial, alone, alone), ranks = train(trial, in_graph, reduction);
  EXPECT_LT(worst_gradient(ranks, one), 1e-5);
  EXPECT_LT(worst_value(ranks, one), 1e-6);
  EXPECT_GT(worst_gradient(train({.relation = "none", .global_batch = 10, .steps = 1}, alone, alone), one),
            1e-2)
      << "the relation has no part in the gradient";
}

TEST(AutomaticWeight, OfBlendsIsTheSameOnAnyNumberOfRanks) {
  torch::set_num_threads(1);
  AloneCommunicator alone;
  MpiCommunicator in_graph("in graph", std::chrono::minutes(1)),
      reduction("reduction", std::chrono::minutes(1));
  const Trial trial{.relation = "cosine", .global_batch = 20, .automatic_ratio = kRatio, .blend = "people:2"};
  const Trained one = train(trial, alone, alone), ranks = train(trial, in_graph, reduction);
  EXPECT_GT(one.automatic_weight, 0);
  EXPECT_NEAR(ranks.automatic_weight, one.automatic_weight, 1e-4 * one.automatic_weight);
  EXPECT_LT(worst_gradient(ranks, one), 1e-5);
}

}  // namespace
}  // namespace facemae::trials
