#pragma once
// The formulas by which sampled class rows move: in one pass over host memory, and by LibTorch's operations on any
// device. Both do the same up to the last bits.
#include <torch/types.h>

#include "trainer/step/optimizer.h"
#include "trainer/step/task.h"

namespace facemae {

/// Class rows and what an optimizer keeps of each. Contiguous; of one device and floating type.
struct ClassRows {
  torch::Tensor centres;  ///< [own, width]
  torch::Tensor first;    ///< [own, width]: sgd's momentum buffer, or adamw's exp_avg
  torch::Tensor second;   ///< [own, width]: adamw's exp_avg_sq; else undefined
  torch::Tensor updates;  ///< int32 [own]: how often adamw has moved each row; else undefined
};

// Of the rows of `gradient`, with its g, and of no others, where mu is the momentum and lambda the weight decay:
//   sgd    s = g + lambda c;  m = mu m + s;  c = c - rate m, or with nesterov c - rate (s + mu m), as torch.optim.SGD
//   adamw  n = n + 1;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
//          c = (1 - rate lambda) c - rate m / (1 - b1^n) / (sqrt(v / (1 - b2^n)) + eps), as torch.optim.AdamW does with
//          one parameter a row that has a gradient only when it was sampled

/// Float32 in host memory, in one pass. The bits depend neither on threads nor on where a row lies.
void move_rows_on_host(const ClassRows& rows, const ClassGradient& gradient, const OptimizerConfig& config,
                       double rate);
/// On any device and in any floating type, without reading a value from the device; some thousand rows at a time, so that
/// all rows need no copies of themselves. Where `found_inf` (a scalar; undefined: 0) is 1, every bit stays.
void move_rows_by_operations(const ClassRows& rows, const ClassGradient& gradient,
                             const OptimizerConfig& config, double rate, const torch::Tensor& found_inf);

}  // namespace facemae
