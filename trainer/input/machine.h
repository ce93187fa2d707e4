#pragma once
// What the defaults of options that depend on the machine mean on the devices that a run got.
#include <string>

#include "cluster/world/world.h"
#include "trainer/config/run_config.h"

namespace facemae {

/// Pure. bfloat16 where every rank's GPU has it at full speed, else float32, as on CPUs. (GPUs without
/// bfloat16 have no tf32 either.)
std::string settled_precision(const std::string& asked, bool bfloat16);
/// Pure. Threads that read and decode. By themselves one for a rank that computes on the CPU, which needs the
/// cores itself; beside a GPU all cores of the rank but two, for the main thread and for communication: a GPU
/// takes more images than one thread decodes.
int settled_workers(int asked, bool gpu, int cores_of_rank);
int workers_of(const RunConfig& config, const World& world);

/// All ranks, before the configuration's text is taken: the same on all of them.
void settle_precision(RunConfig& config, World& world);
/// All ranks, after it, at the first start of a run, what was not given: the size of buckets, and the memory format.
void choose_for_new_run(PretrainConfig& config, World& world);
void choose_for_new_run(RecognizeConfig& config, World& world);

}  // namespace facemae
