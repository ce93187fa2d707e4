#pragma once
// What programs put before the names of a network's tensors, and beside them.
#include "checkpoint/tensors/safetensors.h"

namespace facemae {

/// Without what wrappers put before every name (`module.` of DistributedDataParallel, `_orig_mod.` of torch.compile,
/// `model.` of Lightning, `net.`, `backbone.`, ...). Names that do not all begin so are left as they are, except that of a
/// Lightning module of `model.` and `head.`, as AdaFace saves it, the head (its class centres) is left out.
NamedTensors without_wrappers(NamedTensors weights);

}  // namespace facemae
