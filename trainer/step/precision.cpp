#include "trainer/step/precision.h"

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include <fstream>

#include "core/error.h"

namespace facemae {
namespace {

bool cpu_has_bfloat16() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("flags"))
      return line.find("avx512_bf16") != std::string::npos || line.find("amx_bf16") != std::string::npos;
  return false;
}

}  // namespace

Precision precision_for(const std::string& name, torch::Device device) {
  if (name == "float32" || name == "auto") return Precision::Float32;  // auto: nobody has asked the devices
  if (name == "tf32") {
    if (!device.is_cuda()) throw ConfigError("precision tf32 needs a CUDA device: use float32");
    return Precision::Tf32;
  }
  if (device.is_cpu() && !cpu_has_bfloat16())
    throw ConfigError("precision bfloat16: this CPU has neither avx512_bf16 nor amx_bf16: use float32");
  return Precision::BFloat16;
}

Precision logit_precision_for(const std::string& name, Precision of_step, torch::Device device) {
  if (name == "auto")
    return device.is_cuda() && of_step != Precision::Float32 ? Precision::Tf32 : Precision::Float32;
  if (name == "float32") return Precision::Float32;
  if (name == "bfloat16") return Precision::BFloat16;
  if (!device.is_cuda()) throw ConfigError("--logit-precision tf32 needs a CUDA device: use float32");
  return Precision::Tf32;
}

void prepare(Precision precision, Remainder remainder) {
  auto& context = at::globalContext();
  const bool tf32 =
      precision == Precision::Tf32 || (precision == Precision::BFloat16 && remainder == Remainder::Tf32);
  context.setAllowTF32CuBLAS(tf32);
  context.setAllowTF32CuDNN(tf32);
  context.setBenchmarkCuDNN(!context.deterministicCuDNN() && !context.deterministicAlgorithms());
}

Precision applied_precision(const std::string& name, torch::Device device) {
  const Precision precision = precision_for(name, device);
  prepare(precision);
  return precision;
}

Autocast::Autocast(Precision precision, torch::Device device)
    : active_(precision == Precision::BFloat16), device_(device.type()) {
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  was_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_dtype(device_, torch::kBFloat16);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!active_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, was_type_);
}

}  // namespace facemae
