#pragma once
// Of weights that do not fit: what they are of.
#include <string>

#include "checkpoint/tensors/safetensors.h"

namespace facemae {

/// A sentence with a blank before it: the network whose names and shapes they have, or the nearest one and how much of
/// it is there; "" when nothing here resembles them.
std::string what_fits(const NamedTensors& weights);

}  // namespace facemae
