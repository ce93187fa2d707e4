#pragma once
// Of weights that do not fit: what they are of, and what has been done to their names.
#include <string>

#include "checkpoint/tensors/safetensors.h"

namespace facemae {

/// A sentence with a blank before it: the network whose names and shapes they have, or the nearest one and how much of
/// it is there; "" when nothing here resembles them.
std::string what_fits(const NamedTensors& weights);

/// Without what wrappers put before every name (`module.` of DistributedDataParallel, `_orig_mod.` of torch.compile,
/// `backbone.`, ...). Names that do not all begin so are left as they are.
NamedTensors without_wrappers(NamedTensors weights);

}  // namespace facemae
