// A recognition step in one memory format is that in another, up to the order of float additions.
#include <gtest/gtest.h>

#include "cluster/mpi/mpi_communicator.h"
#include "model/common/layout.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

/// Gradients, weights and moments after two steps, under the names of a checkpoint.
std::map<std::string, torch::Tensor> after_two_steps(torch::MemoryFormat format, Communicator& ranks) {
  const Trial trial{.recognition = true, .global_batch = 24};
  const auto network = make_network("iresnet-tiny");
  network->initialise(5);
  lay_out(*network, format);
  RecognitionTraining training(network, ClassCentres(11, 5, 5, ranks, torch::kCPU),
                               recognize_config_of(trial), "trial", Parts::of_ranks(ranks),
                               Precision::Float32, torch::kCPU);
  GradientBuckets buckets(training.parameters(), ranks);
  Optimizer optimizer({.kind = "sgd"}, buckets);
  ClassOptimizer class_optimizer({}, optimizer, training.classes().centres);
  TrialFaces faces(trial, plan_of(trial, ranks.size()), ranks.rank());
  Step step(training, faces, buckets, 1);
  for (std::uint64_t number = 0; number < 2; ++number) {
    step.compute(number);
    optimizer.step(1e-3);
    class_optimizer.step(1e-3, training.class_gradient());
    training.end(torch::zeros({}));
  }
  Snapshot snapshot;
  training.state(snapshot);
  optimizer.add_to(snapshot);
  std::map<std::string, torch::Tensor> all;
  for (const auto& tensor : snapshot.replicated) all[tensor.name] = tensor.value.detach().clone();
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) {
      EXPECT_TRUE(slot.value.dim() != 4 || slot.value.is_contiguous(format)) << slot.name;
      all["gradient." + slot.name] = slot.value.grad().clone();
    }
  return all;
}

TEST(MemoryFormat, ChangesNoGradientAndNoMoment) {
  torch::set_num_threads(1);
  MpiCommunicator ranks("ranks", std::chrono::minutes(1));
  const auto plain = after_two_steps(torch::MemoryFormat::Contiguous, ranks),
             last = after_two_steps(torch::MemoryFormat::ChannelsLast, ranks);
  ASSERT_EQ(plain.size(), last.size());
  for (const auto& [name, value] : plain) {
    if (!value.is_floating_point()) continue;
    EXPECT_LT(test::relative_distance(last.at(name), value, 1e4), 2e-3) << name;
  }
}

}  // namespace
}  // namespace facemae::trials
