#pragma once
// Floating point operations of networks, from their shapes: those of matrix products and convolutions, a multiplication
// and an addition each. Norms, activations and sums are left out, and so is what is computed twice to save memory:
// "model FLOPs" as Chowdhery et al. 2022 (PaLM, arXiv 2204.02311, appendix B) count them.
#include <cstdint>

namespace facemae {

/// [m, k] times [k, n].
constexpr double product_flops(double m, double k, double n) { return 2 * m * k * n; }

/// Of one image.
struct Flops {
  double forward = 0;
  double of_input = 0;  ///< of that, the layer that reads the image, which needs no gradient
  /// Forward and backward: a product has a gradient of its weights and one of its input, each a product of the same size.
  constexpr double trained() const { return 3 * forward - of_input; }
  /// Forward and backward of fixed weights, through which a gradient goes to the image.
  constexpr double passed_through() const { return 2 * forward; }
};

}  // namespace facemae
