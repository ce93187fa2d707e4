#pragma once
// `recognize --dry-run --assume-identities ...`: what a run would be over a store that is not there, on ranks that are not
// there either.
#include "cluster/world/world.h"
#include "trainer/config/run_config.h"

namespace facemae {

/// Rank 0 prints to stdout. The network's memory is found by steps of few faces here, that of the softmax over classes by
/// its formulas (trainer/tasks/head_need.h). Throws ConfigError when the ranks cannot share the batch or the classes.
void print_assumed_run(const RecognizeConfig& config, World& world);

}  // namespace facemae
