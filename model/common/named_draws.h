#pragma once
// Draws initial weights as pure functions of (seed, parameter name): the same on every machine and rank,
// in any order.
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "core/checksum.h"
#include "core/random/keys.h"

namespace facemae {

/// The draws of one parameter, identified by its dotted name.
inline Draws draws_of(std::uint64_t seed, const std::string& parameter) {
  return Draws(key_of(seed, Purpose::Init, xxh64(bytes_of(parameter))));
}

/// Overwrites `weight` (any device and floating type) with `draw()` for each element in C order.
template <class Draw>
void fill_from(const torch::Tensor& weight, Draw draw) {
  auto values = torch::empty(weight.sizes(), torch::kFloat32);
  auto* out = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) out[i] = static_cast<float>(draw());
  weight.copy_(values);
}

/// N(0, deviation^2).
inline void fill_normal(const torch::Tensor& weight, double deviation, Draws draws) {
  fill_from(weight, [&] { return deviation * draws.normal(); });
}
/// Uniform in [-bound, bound).
inline void fill_uniform(const torch::Tensor& weight, double bound, Draws draws) {
  fill_from(weight, [&] { return draws.uniform(-bound, bound); });
}

}  // namespace facemae
