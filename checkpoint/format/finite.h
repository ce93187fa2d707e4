#pragma once
// Finds infinities and NaNs in the bytes of tensors: a state that holds one never becomes a checkpoint.
// Free of LibTorch.
#include <string>
#include <vector>

#include "checkpoint/format/staged_file.h"
#include "core/checksum.h"

namespace facemae {

/// False if `bytes`, whole elements of a safetensors type ("F32", "BF16", ...), hold one. Integers never do.
/// One thread, as fast as memory delivers the bytes.
bool all_finite(Bytes bytes, const std::string& dtype);

/// The tensors of a rank's file that hold one, in order, each once.
std::vector<std::string> not_finite(const StagedFile& staged);

/// "model.a, model.b, model.c and 4 more".
std::string first_of(const std::vector<std::string>& names);

}  // namespace facemae
