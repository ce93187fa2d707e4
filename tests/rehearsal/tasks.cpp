#include "tests/rehearsal/tasks.h"

#include <torch/torch.h>

#include "model/facemae/relation.h"

namespace facemae::rehearsal {

Values train(const Trial& trial, Task& task, Communicator& ranks) {
  GradientBuckets buckets(task.parameters(), ranks, {.bytes = 4096, .first_bytes = 512});
  const Classes classes = task.classes();
  Optimizer optimizer({.kind = trial.recognition ? "sgd" : "adamw"}, buckets);
  ClassOptimizer class_optimizer({}, optimizer, classes.centres);
  trials::TrialFaces faces(trial, trials::plan_of(trial, ranks.size()), ranks.rank(), 0, ranks.device());
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

Tasks::~Tasks() {
  there->close();
  here->close();
}

bool Tasks::computes(Precision precision) const {
  if (precision == Precision::Float32) return true;
  try {
    return precision_for("bfloat16", here->device()) == precision;
  } catch (const ConfigError&) {
    return false;
  }
}

void Tasks::expect_relations_as_on_cpus(Precision precision) {
  for (const auto& relation : relation_names())
    for (const bool whole : {false, true}) {
      if (whole && relation == "none") continue;
      SCOPED_TRACE(relation + (whole ? ", over the whole batch" : ""));
      const Trial trial{.relation = relation,
                        .global_batch = 10,
                        .micro_batches = whole ? 2 : 1,
                        .relation_over_global_batch = whole};
      const auto train_on = [&](World& world) {
        const auto task = trials::make_task(trials::pretrain_config_of(trial), Parts::of_ranks(world.batch()),
                                            world.device(), 3, precision);
        return train(trial, *task, world.batch());
      };
      expect_equal(train_on(*there), train_on(*here));
    }
}

}  // namespace facemae::rehearsal
