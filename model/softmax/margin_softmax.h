#pragma once
// The margin softmax over classes that are spread over ranks.
#include <torch/types.h>

#include <cstdint>
#include <span>

#include "model/softmax/class_centres.h"
#include "model/softmax/margin_state.h"
#include "model/softmax/softmax_config.h"

namespace facemae {

/// Of own rows: embeddings [b, 512], labels [b] int64, all of them classes, and draws [b] (undefined unless the margin
/// draws) of this rank, which are gathered. count: rows of the whole step. Cosines and softmax in float32
/// (float64 stays), exact log-sum-exp over the active classes. Adds d loss / d centres to the gradient of `centres`, whose
/// step has begun. Outside of autocast. Reads nothing from the device. All ranks, same order.
CoupledSoftmax margin_softmax(ClassCentres& centres, MarginState& state, const SoftmaxConfig& config,
                              const torch::Tensor& embeddings, const torch::Tensor& labels,
                              const torch::Tensor& draws, std::span<const std::int64_t> rows_of_rank,
                              double count);

}  // namespace facemae
