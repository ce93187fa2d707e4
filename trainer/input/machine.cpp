#include "trainer/input/machine.h"

#include <algorithm>

#include "checkpoint/tensors/store.h"
#include "checkpoint/tensors/weights.h"
#include "core/error.h"
#include "core/host.h"
#include "core/log.h"
#include "model/recognition/recognition.h"

namespace facemae {
namespace {

/// All ranks: the configuration of the run's newest checkpoint, if there is one to go on from.
std::optional<std::string> configuration_of(const RunConfig& config, Control& control) {
  if (config.fresh) return {};
  try {
    if (const auto info = CheckpointStore(config.run, control, real_files()).newest()) return info->config;
  } catch (const Unresumable&) {  // the run says so once it has begun and can leave its outcome
  }
  return {};
}

}  // namespace

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
  if (world.device().is_cuda() && world.control().is_root())
    spdlog::info("cuDNN searches for the fastest kernels in the first steps");
}

void settle_memory_format(RecognizeConfig& config, World& world) {
  auto& format = config.memory_format;
  if (format == "auto") {
    const bool reduced = config.common.precision != "float32";
    const auto fastest = fastest_format(config.network, world.device(), reduced);
    if (const auto begun = configuration_of(config.common, world.control()))
      format = config_value(*begun, "memory-format");
    else if (!config.common.exact && fastest == torch::MemoryFormat::ChannelsLast)
      format = "channels-last";
    else
      format = "contiguous";
    format = world.control().broadcast(format);  // ranks may have different devices
  }
  if (format == "contiguous") format.clear();
}

}  // namespace facemae
