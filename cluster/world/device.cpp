#include "cluster/world/device.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <optional>

#include "core/log.h"

namespace facemae {
namespace {

/// By the first back end that can look; nothing is known where none can.
GpuFacts look(const BackEnds& back_ends, std::optional<int> gpu) {
  for (const auto& back_end : back_ends)
    if (back_end.look) return back_end.look(gpu);
  return {};
}

void describe_gpu(const GpuFacts& facts, DeviceReport& report) {
  report.driver = cuda_version_text(facts.driver);
  report.name = facts.name;
  report.bus = facts.bus;
  report.bfloat16 = facts.bfloat16;
}

/// Does it compute? A device that has failed is still counted. Makes the context that is needed anyway.
std::string fault_of(const torch::Device& device) {
  try {
    use_device(device);
    if (torch::ones({2}, torch::TensorOptions().device(device)).sum().item<double>() == 2) return "";
    return "GPU " + device.str() + " computes 1 + 1 wrongly";
  } catch (const c10::Error& error) {
    return "GPU " + device.str() + " fails: " + error.what_without_backtrace();
  } catch (const std::exception& error) {
    return "GPU " + device.str() + " fails: " + error.what();
  }
}

}  // namespace

FoundDevice find_device(const WorldConfig& config, const BackEnds& back_ends, const Accelerator& gpus,
                        const Topology& topology, const std::string& load_error) {
  FoundDevice found;
  found.report.rank = topology.rank;
  found.report.node = topology.node;
  found.report.host = topology.host;
  for (const auto& back_end : back_ends)
    if (back_end.built) found.report.back_ends.push_back(back_end.carrier.name);
  if (config.device == "cpu") return found;
  const int devices = gpus.count();
  if (devices > 0) {
    const int index = topology.local_rank % devices;
    const torch::Device device(gpus.type, static_cast<c10::DeviceIndex>(index));
    found.report.fault = fault_of(device);
    if (found.report.fault.empty()) {
      found.device = device;
      found.report.gpu = true;
      describe_gpu(look(back_ends, index), found.report);
      return found;
    }
  } else if (gpus.present()) {
    const GpuFacts facts = look(back_ends, std::nullopt);
    found.report.fault = why_no_gpu(facts.driver, facts.runtime, load_error);
  } else {
    found.report.fault = "the machine has no NVIDIA driver";
  }
  if (gpus.present() && (devices > 0 || topology.local_rank == 0))  // of a host's own fault once
    spdlog::error("rank {} on host {}: there is a GPU that cannot be used: {}", topology.rank, topology.host,
                  found.report.fault);
  return found;
}

void use_device(const torch::Device& device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
}

}  // namespace facemae
