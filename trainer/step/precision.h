#pragma once
// Number formats of the forward pass: float32, tf32 (CUDA), bfloat16 autocast where the device has it.
#include <torch/types.h>

#include <string>

namespace facemae {

enum class Precision { Float32, Tf32, BFloat16 };
/// Throws ConfigError when the device cannot: tf32 needs CUDA, bfloat16 a CPU with avx512_bf16 or
/// amx, or a CUDA device.
Precision precision_for(const std::string& name, torch::Device device);
/// That of the products of embeddings and class centres, by --logit-precision. auto is tf32 on GPUs where the step has
/// tf32 or bfloat16, else float32. Throws ConfigError when the device cannot: tf32 needs CUDA.
Precision logit_precision_for(const std::string& name, Precision of_step, torch::Device device);
/// What of a bfloat16 step autocast leaves in float32: computed by a GPU as it says, or in TF32.
enum class Remainder { Float32, Tf32 };
/// Process-wide settings that the precision needs; on GPUs also cuDNN's search for the fastest kernels, unless LibTorch
/// is asked to be deterministic.
void prepare(Precision precision, Remainder remainder = Remainder::Tf32);

/// Both, for a command that applies a network: the precision, once the process is prepared for it.
Precision applied_precision(const std::string& name, torch::Device device);

/// While it lives, this thread's forward pass runs under autocast (bfloat16 only).
class Autocast {
 public:
  Autocast(Precision precision, torch::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool active_, was_enabled_ = false;
  torch::DeviceType device_;
  torch::ScalarType was_type_ = torch::kFloat32;
};

}  // namespace facemae
