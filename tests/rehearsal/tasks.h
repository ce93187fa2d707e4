#pragma once
// Trainings whose gradients are compared: on the stand-in over the product's NCCL communicator, and on CPUs over MPI.
#include <torch/types.h>

#include <map>
#include <string>

#include "tests/ranked/trainer/step/training_fixture.h"
#include "tests/rehearsal/rehearsal.h"

namespace facemae::rehearsal {

using trials::Trial;
using Values = std::map<std::string, torch::Tensor>;

/// All values after two steps.
Values train(const Trial& trial, Task& task, Communicator& ranks);

struct Tasks : Rehearsal {
  ~Tasks() override;
  /// Whether CPUs have the precision to compare with.
  bool computes(Precision precision) const;
  /// Every relation, within micro-batches and over the whole batch, to the last bit.
  void expect_relations_as_on_cpus(Precision precision);

  std::unique_ptr<World> there = on_stand_in(), here = on_cpus();
};

}  // namespace facemae::rehearsal
