#pragma once
// Images of a store as one tensor of bytes.
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "data/store/store.h"

namespace facemae {

/// [rows, 3, side, side] uint8.
torch::Tensor load_images(const Store& store, const std::vector<std::uint64_t>& rows);

}  // namespace facemae
