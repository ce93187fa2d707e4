#include "trainer/input/machine.h"

#include <algorithm>

#include "core/host.h"
#include "core/log.h"

namespace facemae {

std::string settled_precision(const std::string& asked, bool bfloat16) {
  if (asked != "auto") return asked;
  return bfloat16 ? "bfloat16" : "float32";
}

int settled_workers(int asked, bool gpu, int cores_of_rank) {
  if (asked > 0) return asked;
  return gpu ? std::max(1, cores_of_rank - 2) : 1;
}

int workers_of(const RunConfig& config, const World& world) {
  return settled_workers(config.workers, !world.device().is_cpu(),
                         available_cores() / world.topology().local_size);
}

void settle_precision(RunConfig& config, World& world) {
  const bool asked = config.precision != "auto";
  config.precision = settled_precision(config.precision, world.bfloat16());
  if (!asked && !world.device().is_cpu() && world.control().is_root())
    spdlog::info("precision: {}, the default on these GPUs (--precision float32 or bfloat16 overrides it)",
                 config.precision);
}

}  // namespace facemae
