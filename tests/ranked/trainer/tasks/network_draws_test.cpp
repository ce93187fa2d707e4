// What a network draws of faces is the same after a resume; that it does not depend on ranks, see GlobalBatch.
#include <gtest/gtest.h>

#include "cluster/mpi/mpi_communicator.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

/// Gradients of steps [first, last) with weights that stay.
std::vector<torch::Tensor> gradients_of_steps(std::uint64_t first, std::uint64_t last, Communicator& ranks) {
  const Trial trial{.recognition = true, .global_batch = 8, .network = "vit-t"};
  const auto task = make_task(trial, Parts::of_ranks(ranks));
  GradientBuckets buckets(task->parameters(), ranks, trial.buckets);
  TrialFaces faces(trial, plan_of(trial, ranks.size()), ranks.rank(), first);
  Step step(*task, faces, buckets, 1);
  std::vector<torch::Tensor> gradients;
  for (std::uint64_t number = first; number < last; ++number) {
    step.compute(number);
    std::vector<torch::Tensor> all;
    for (const auto& bucket : buckets.buckets())
      for (const auto& slot : bucket.slots) all.push_back(slot.value.grad().flatten().clone());
    gradients.push_back(torch::cat(all));
  }
  return gradients;
}

TEST(NetworkDraws, AreTheSameAfterAResume) {
  torch::set_num_threads(1);
  MpiCommunicator ranks("ranks", std::chrono::minutes(1));
  const auto at_once = gradients_of_steps(0, 3, ranks), resumed = gradients_of_steps(1, 3, ranks);
  EXPECT_TRUE(torch::equal(resumed[0], at_once[1]));
  EXPECT_TRUE(torch::equal(resumed[1], at_once[2]));
  EXPECT_GT(test::relative_distance(at_once[0], at_once[1]), 1e-2);
}

TEST(NetworkDraws, OfLoadersAreThoseOfOrdinals) {
  const Trial trial{.recognition = true, .global_batch = 5};
  for (const bool margins : {false, true})
    for (const bool network : {false, true}) {
      const RecognitionDraws draws(7, margins, network);
      Faces faces = faces_of(trial, plan_of(trial, 1), 3, 0, 0);
      const auto of_margins = draws.margins(faces), keys = draws.keys(faces);
      EXPECT_EQ(of_margins.defined(), margins);
      EXPECT_EQ(keys.defined(), network);
      const NoiseConfig noise = draws.noise();
      ASSERT_EQ(noise.values, static_cast<std::size_t>(margins + network));
      if (noise.values == 0) continue;
      faces.noise = torch::empty({5, static_cast<std::int64_t>(noise.values)}, torch::kFloat64);
      for (std::int64_t row = 0; row < 5; ++row)
        noise.draw(faces.ordinals[static_cast<std::size_t>(row)],
                   {faces.noise[row].data_ptr<double>(), noise.values});
      EXPECT_TRUE(!margins || torch::equal(draws.margins(faces), of_margins));
      EXPECT_TRUE(!network || torch::equal(draws.keys(faces), keys));
    }
}

}  // namespace
}  // namespace facemae::trials
