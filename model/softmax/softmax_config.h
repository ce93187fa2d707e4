#pragma once
// What a margin softmax over many classes is asked to do, and what it gives.
#include <torch/types.h>

#include <cstdint>
#include <optional>

#include "model/softmax/class_logits.h"
#include "model/softmax/margins.h"

namespace facemae {

struct SoftmaxConfig {
  Margin margin;
  /// Cosines of other classes above it become 0, without gradient: where one person may be several classes ("interclass
  /// filtering" in insightface's arcface_torch).
  std::optional<double> class_filter;
  LogitPrecision precision = LogitPrecision::Float32;
  std::uint64_t logit_bytes = std::uint64_t{512} << 20;  ///< of a buffer of logits; more are computed twice
};

/// A margin softmax that has been differentiated. No graphs.
struct CoupledSoftmax {
  torch::Tensor cotangent;  ///< d loss / d embeddings [n, 512], of the rows that were given
  torch::Tensor
      loss;  ///< mean cross-entropy: of the rows whose class is this rank's, / count; or of all rows
  torch::Tensor correct;  ///< rows of all ranks that are nearest to their own class: the same on every rank
};

}  // namespace facemae
