#pragma once
// Fixes which kernels the mathematical libraries choose, so that a later start on another
// machine chooses the same.
#include <string>

#include "cluster/host/control.h"

namespace facemae {

/// Of LibTorch's own kernels, MKL (whose products then do not depend on where tensors lie) and oneDNN: AVX2
/// where this processor has it, else the least. Must come before the first call of these libraries, while
/// there is one thread. Returns what was fixed, for comparison and for the log.
std::string fix_instruction_set();

/// All ranks, before the first step of --exact: they compute with the same kernels, as fixed. Throws AgreedError when
/// their processors do not allow it.
void agree_on_kernels(Control& control);

}  // namespace facemae
