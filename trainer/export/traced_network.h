#pragma once
// The operations of a network, as LibTorch records them while it computes.
#include <torch/csrc/jit/ir/ir.h>
#include <torch/types.h>

#include <memory>
#include <optional>

#include "model/recognition/recognition.h"

namespace facemae {

/// Operations in the order in which they were computed. What is the same for each image, weights too, is a constant of the
/// graph; the number of images is not told from other constants.
using OperationGraph = std::shared_ptr<torch::jit::Graph>;

/// Of the network in evaluation mode, without gradients, with `images` images.
OperationGraph traced(RecognitionNetwork& network, std::int64_t images);

/// The value of a constant, also of a list of constants; nothing for what is computed.
std::optional<torch::IValue> constant_of(const torch::jit::Value& value);

}  // namespace facemae
