#include "trainer/input/machine.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "model/recognition/recognition.h"

namespace facemae {
namespace {

void choose_buckets(RunConfig& config, const Control& control) {
  if (config.bucket_mib) return;
  config.bucket_mib = default_bucket_mib(control.size(), config.exact);
  if (control.is_root() && control.size() > 1)
    spdlog::info("gradients: summed in buckets of {} MiB (--bucket-mib)", *config.bucket_mib);
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
  return settled_workers(config.workers, !world.device().is_cpu(), world.topology().cores);
}

void settle_precision(RunConfig& config, World& world) {
  const bool asked = config.precision != "auto";
  config.precision = settled_precision(config.precision, world.bfloat16());
  if (!asked && !world.device().is_cpu() && world.control().is_root())
    spdlog::info("precision: {}, the default on these GPUs (--precision float32 or bfloat16 overrides it)",
                 config.precision);
  if (world.device().is_cuda() && !config.deterministic.value_or(false) && world.control().is_root())
    spdlog::info("cuDNN searches for the fastest kernels in the first steps");
}

void choose_for_new_run(PretrainConfig& config, World& world) {
  choose_buckets(config.common, world.control());
}

void choose_for_new_run(RecognizeConfig& config, World& world) {
  choose_buckets(config.common, world.control());
  auto& format = config.memory_format;
  if (format != "auto") return;
  const bool reduced = config.common.precision != "float32";
  const auto fastest = fastest_format(config.network, world.device(), reduced);
  format =
      !config.common.exact && fastest == torch::MemoryFormat::ChannelsLast ? "channels-last" : "contiguous";
  format = world.control().broadcast(format);  // ranks may have different devices
}

}  // namespace facemae
