#include "trainer/exact/exact_step.h"

#include <ATen/Version.h>
#include <torch/torch.h>

#include "cluster/host/agree.h"
#include "core/log.h"
#include "trainer/step/instruction_set.h"

namespace facemae {

void agree_on_kernels(Control& control) {
  const std::string kernels = fix_instruction_set() + ", LibTorch " + at::get_cpu_capability();
  if (!control.same_everywhere(kernels))
    throw AgreedError(
        "--exact: the ranks' processors allow different kernels, whose sums differ in the last bits. "
        "Use hosts of one kind",
        ExitCode::BadConfiguration, "ConfigError");
  if (control.is_root()) spdlog::info("exact: one thread a rank, {}", kernels);
}

torch::Tensor accumulate_by_slot(Task& task, SlotGradients& gradients, int micro_batches,
                                 const std::function<std::vector<Faces>()>& next) {
  gradients.zero();
  torch::Tensor largest;                 // of all losses; what is not finite stays so
  std::vector<std::vector<Faces>> kept;  // of the first of two passes
  if (task.two_passes()) {
    for (int micro = 0; micro < micro_batches; ++micro) {
      kept.push_back(next());
      for (const auto& slot : kept.back()) task.observe(slot);
    }
    task.observed_all();
  }
  for (int micro = 0; micro < micro_batches; ++micro) {
    const auto losses = task.slot_losses(kept.empty() ? next() : kept[static_cast<std::size_t>(micro)]);
    for (std::size_t slot = 0; slot < losses.size(); ++slot) {
      gradients.collect(slot);
      losses[slot].backward();
      const torch::Tensor size = losses[slot].detach().abs();
      largest = largest.defined() ? torch::maximum(largest, size) : size;
    }
  }
  return largest;
}

}  // namespace facemae
