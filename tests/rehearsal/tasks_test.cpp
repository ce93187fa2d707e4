// The gradients of both trainings on the stand-in, beside CPUs.
#include "tests/rehearsal/tasks.h"

#include <torch/torch.h>

#include "tests/ranked/cluster/tensors/conformance.h"
#include "tests/rehearsal/counters.h"
#include "tests/rehearsal/device.h"
#include "tests/relative.h"
#include "trainer/tasks/linkage_term.h"

namespace facemae::rehearsal {
namespace {

TEST_F(Tasks, TheCommunicatorConforms) {
  EXPECT_EQ(there->device().type(), kType);
  EXPECT_EQ(there->device().index(), there->topology().local_rank);
  expect_conforming(there->batch(), there->device());
}

TEST_F(Tasks, WeightsThatFollowTheLossesAreMadeOnTheDeviceAsOnCpus) {
  const Trial trial{
      .relation = "cosine", .global_batch = 10, .automatic_ratio = 0.3, .linkage_weight = "0.5"};
  const auto train_on = [&](World& world) {
    const auto task =
        trials::make_task(trials::pretrain_config_of(trial), Parts::of_ranks(world.batch()), world.device());
    auto values = train(trial, *task, world.batch());
    values["relation weight"] = task->automatic_weight.cpu();
    return values;
  };
  const auto found = train_on(*there);
  EXPECT_GT(found.at("relation weight").item<double>(), 0);
  expect_equal(found, train_on(*here));
}

TEST_F(Tasks, NothingIsReadToChangeTheWeightOfLinkage) {
  const auto device = there->device();
  const LinkageTerm term("auto:3", "pixel", 0.25, device);
  const Parts parts = Parts::of_ranks(there->batch());
  const Group group{{.parts = {}, .rows_of_rank = std::vector<std::int64_t>(control.size(), 5)}};
  Coupling faces(parts, group, {});
  const auto hits = torch::full({1}, 4.0, torch::TensorOptions(device));  // of the 5 of each rank
  const auto before = torch::ones({}, hits.options().dtype(torch::kFloat64));
  reset_counters();
  const auto after = term.next_weight(before, 50, hits, faces);
  EXPECT_EQ(counters().value_reads + counters().from_device.count + counters().to_device.count, 0)
      << describe(counters());
  EXPECT_DOUBLE_EQ(after.item<double>(), 1 + 3 * (0.8 - 2.0 / (5 * control.size())));
}

TEST_F(Tasks, EveryRelationTrainsAsOnCpus) { expect_relations_as_on_cpus(Precision::Float32); }

RecognizeConfig drawing(const std::string& network, const std::string& batch_norm, const Trial& trial) {
  RecognizeConfig config = trials::recognize_config_of(trial);
  config.network = network;
  config.batch_norm = batch_norm;
  config.activation_checkpointing = batch_norm == "sync";
  return config;
}

TEST_F(Tasks, NetworksThatDrawTrainAsOnCpusWithNormsOverRanksAndGroups) {
  const Trial trial{.recognition = true, .global_batch = 8};
  for (const char* network : {"vit-t", "ir18"})
    for (const char* batch_norm : {"sync", "ghost:2"}) {
      SCOPED_TRACE(std::string(network) + ", " + batch_norm);
      const auto train_on = [&](World& world) {
        const auto task = trials::make_task(drawing(network, batch_norm, trial),
                                            Parts::of_ranks(world.batch()), 11, 5, world.device());
        return train(trial, *task, world.batch());
      };
      const auto found = train_on(*there), wanted = train_on(*here);
      for (const auto& [name, value] : wanted)
        EXPECT_LE(test::relative_distance(found.at(name), value), 1e-4) << name;
    }
}

TEST_F(Tasks, NothingIsCopiedOrReadToDrawAndToNormalise) {
  const Trial trial{.recognition = true, .global_batch = 8};
  const auto device = there->device();
  for (const char* network : {"vit-t", "ir18"})
    for (const char* batch_norm : {"sync", "ghost:2"}) {
      SCOPED_TRACE(std::string(network) + ", " + batch_norm);
      const auto task = trials::make_task(drawing(network, batch_norm, trial),
                                          Parts::of_ranks(there->batch()), 11, 5, device);
      const auto& world = there->topology();
      Faces faces = trials::faces_of(trial, trials::plan_of(trial, world.size), 0, 0, world.rank);
      const NoiseConfig noise = task->needs().noise;
      faces.noise =
          torch::empty({faces.images.size(0), static_cast<std::int64_t>(noise.values)}, torch::kFloat64);
      for (std::size_t row = 0; row < faces.ordinals.size(); ++row)
        noise.draw(faces.ordinals[row],
                   {faces.noise[static_cast<std::int64_t>(row)].data_ptr<double>(), noise.values});
      for (auto* tensor : {&faces.images, &faces.labels, &faces.noise}) *tensor = tensor->to(device);
      task->begin(0);
      reset_counters();
      const auto rows = task->forward(faces).rows;
      rows.sum().backward();
      EXPECT_EQ(counters().value_reads, 0) << describe(counters());
      EXPECT_EQ(counters().from_device.count + counters().to_device.count, 0) << describe(counters());
    }
}

}  // namespace
}  // namespace facemae::rehearsal
