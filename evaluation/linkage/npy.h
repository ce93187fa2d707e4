#pragma once
// numpy's .npy, version 1.0: float32 and int64 arrays in C order.
#include <torch/types.h>

#include "core/files/files.h"

namespace facemae {

void write_npy(FileSystem& files, const Path& path, const torch::Tensor& array);
torch::Tensor read_npy(const Path& path);  ///< throws DataError

}  // namespace facemae
