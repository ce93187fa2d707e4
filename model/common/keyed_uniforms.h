#pragma once
// Random numbers that are drawn on the device from a key of each row: pure functions of (key, layer, column), so they do
// not depend on which rows share a batch, and are the same again whenever they are asked for.
#include <torch/types.h>

#include <cstdint>

#include "core/random/keys.h"

namespace facemae {

/// Keys fit a double, and so the numbers that loaders draw for a face.
constexpr std::uint64_t row_key(std::uint64_t key) { return key >> 11; }

/// [b, values] float32 in [0, 1), multiples of 2^-24, for keys [b] int64 on any device: column i of a row is the
/// finaliser of splitmix64 of its key, moved by the layer and by i.
torch::Tensor keyed_uniforms(const torch::Tensor& keys, std::int64_t layer, std::int64_t values);

/// [b, values] float32: 0 with the probability of its column, else what makes the mean 1. `probabilities` [values] or a
/// scalar, on the device of the keys.
torch::Tensor kept_scaled(const torch::Tensor& uniforms, const torch::Tensor& probabilities);

}  // namespace facemae
