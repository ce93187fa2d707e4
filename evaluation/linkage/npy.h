#pragma once
// numpy's .npy: arrays in C order. Written are float32 and int64, read float16 and float64, too.
#include <torch/types.h>

#include "core/files/files.h"

namespace facemae {

void write_npy(FileSystem& files, const Path& path, const torch::Tensor& array);
torch::Tensor read_npy(const Path& path);  ///< throws DataError
/// [rows, width] float32 of an array of floats of any kind. Throws DataError, also for a value that is not finite.
torch::Tensor read_rows(const Path& path);

}  // namespace facemae
