#pragma once
// `--dry-run`: what a run would be, without starting it.
#include <cstdint>

#include "checkpoint/tensors/snapshot.h"
#include "cluster/world/world.h"
#include "data/store/store.h"
#include "trainer/config/run_config.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/memory_need.h"

namespace facemae {

/// Rank 0 prints to stdout: parameters, its memory, steps, bytes read and written.
void print_dry_run(const RunConfig& config, const Store& store, const Snapshot& snapshot,
                   GradientBuckets& gradients, const MemoryNeed& need, World& world,
                   std::uint64_t total_steps);
/// Values that the optimizer changes on every rank alike.
std::uint64_t trained_values(GradientBuckets& gradients);

}  // namespace facemae
