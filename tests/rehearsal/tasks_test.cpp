// The gradients of both trainings on the stand-in over the product's NCCL communicator, beside CPUs over MPI: every
// relation and margin in every precision.
#include <torch/torch.h>

#include "cluster/tensors/communicator.h"
#include "model/facemae/relation.h"
#include "model/softmax/margins.h"
#include "tests/ranked/cluster/tensors/conformance.h"
#include "tests/ranked/trainer/step/training_fixture.h"
#include "tests/rehearsal/counters.h"
#include "tests/rehearsal/device.h"
#include "tests/rehearsal/rehearsal.h"
#include "tests/relative.h"

namespace facemae::rehearsal {
namespace {

using trials::Trial;
using Values = std::map<std::string, torch::Tensor>;

class FacesOnDevice final : public trials::TrialFaces {
 public:
  FacesOnDevice(const Trial& trial, const BatchPlan& plan, int rank, torch::Device device)
      : TrialFaces(trial, plan, rank), device_(device) {}

 private:
  std::vector<Faces> parts_of(Faces own) override {
    own.images = own.images.to(device_);
    own.labels = own.labels.to(device_);
    return {std::move(own)};
  }
  torch::Device device_;
};

/// All values after two steps.
Values train(const Trial& trial, Task& task, Communicator& ranks) {
  GradientBuckets buckets(task.parameters(), ranks, {.bytes = 4096, .first_bytes = 512});
  const Classes classes = task.classes();
  Optimizer optimizer({.kind = trial.recognition ? "sgd" : "adamw"}, buckets);
  ClassOptimizer class_optimizer({}, optimizer, classes.centres);
  FacesOnDevice faces(trial, trials::plan_of(trial, ranks.size()), ranks.rank(), ranks.device());
  Step step(task, faces, buckets, trial.micro_batches);
  for (std::uint64_t number = 0; number < 2; ++number) {
    step.compute(number);
    buckets.check();
    optimizer.step(1e-3);
    class_optimizer.step(1e-3, task.class_gradient());
    task.end(torch::zeros({}, ranks.device()));
  }
  Values values;
  for (const auto& bucket : buckets.buckets())
    for (const auto& slot : bucket.slots) values[slot.name] = slot.value.detach().cpu();
  if (classes.centres.defined()) values["centres"] = classes.centres.detach().cpu();
  return values;
}

bool computes(const World& world, Precision precision) {
  if (precision == Precision::Float32) return true;
  try {
    return precision_for("bfloat16", world.device()) == precision;
  } catch (const ConfigError&) {
    return false;  // this processor has no bfloat16 to compare with
  }
}

struct Tasks : Rehearsal {
  std::unique_ptr<World> there = on_stand_in(), here = on_cpus();
  ~Tasks() override {
    there->close();
    here->close();
  }
};

TEST_F(Tasks, TheCommunicatorConforms) {
  EXPECT_EQ(there->device().type(), kType);
  EXPECT_EQ(there->device().index(), there->topology().local_rank);
  expect_conforming(there->batch(), there->device());
}

TEST_F(Tasks, EveryRelationTrainsAsOnCpus) {
  for (const auto& relation : relation_names())
    for (const Precision precision : {Precision::Float32, Precision::BFloat16})
      for (const bool whole : {false, true}) {
        if (!computes(*here, precision) || (whole && relation == "none")) continue;
        SCOPED_TRACE(relation + (whole ? ", over the whole batch, " : ", ") + std::to_string(int(precision)));
        const Trial trial{.relation = relation,
                          .global_batch = 10,
                          .micro_batches = whole ? 2 : 1,
                          .relation_over_global_batch = whole};
        const auto train_on = [&](World& world) {
          const auto task = trials::make_task(trials::pretrain_config_of(trial),
                                              Parts::of_ranks(world.batch()), world.device(), 3, precision);
          return train(trial, *task, world.batch());
        };
        expect_equal(train_on(*there), train_on(*here));
      }
}

TEST_F(Tasks, EveryMarginTrainsAsOnCpusOverAllClassesOrSome) {
  for (const auto& margin : margin_kinds())
    for (const Precision precision : {Precision::Float32, Precision::BFloat16}) {
      if (!computes(*here, precision)) continue;
      SCOPED_TRACE(std::string(margin.name) + ", " + std::to_string(int(precision)));
      const Trial trial{.recognition = true,
                        .global_batch = 8,
                        .micro_batches = 2,
                        .sample_rate = precision == Precision::Float32 ? 0.3 : 1};
      RecognizeConfig config = trials::recognize_config_of(trial);
      config.margin = margin.name;
      const auto train_on = [&](World& world) {
        const auto task =
            trials::make_task(config, Parts::of_ranks(world.batch()), 11, 5, world.device(), precision);
        return train(trial, *task, world.batch());
      };
      const auto found = train_on(*there), wanted = train_on(*here);
      if (trial.sample_rate == 1) expect_equal(found, wanted);
      // Sampled rows are moved by a pass of our own on CPUs, and by LibTorch's operations elsewhere.
      for (const auto& [name, value] : wanted)
        EXPECT_LE(test::relative_distance(found.at(name), value), 1e-5) << name;
    }
}

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
