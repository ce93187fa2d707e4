#pragma once
// Euclidean distances between rows, with a backward pass that needs no more memory than they do.
#include <torch/types.h>

namespace facemae {

/// sqrt(|x_i - y_j|^2 + 1e-12): x [b, D], y [G, D] -> [b, G]. Forward from differences, never from matrix products:
/// the difference of two large squares leaves nothing of a small distance. Backward by matrix products in float64,
/// which hold where rows are nearly equal; at::cdist's own has a buffer [b, G, D] on CUDA.
torch::Tensor distances(const torch::Tensor& x, const torch::Tensor& y);

}  // namespace facemae
