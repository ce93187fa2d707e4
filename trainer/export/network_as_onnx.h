#pragma once
// Recognition networks as ONNX graphs, for programs that run networks without this one.
#include <torch/types.h>

#include <deque>
#include <map>
#include <string>

#include "checkpoint/onnx/onnx_graph.h"
#include "model/recognition/recognition.h"

namespace facemae {

struct NetworkAsOnnx {
  OnnxGraph graph;
  std::deque<torch::Tensor> kept = {};  ///< what the graph's constants are
};

/// What computes as the network does in evaluation mode: input "data" [batch, 3, 112, 112] float32, RGB,
/// (x - 127.5) / 127.5, output "embedding" [batch, width], not normalised. Constants have the names of the weights. The
/// network is on the CPU, and takes no gradients afterwards. Throws ConfigError for an operation that ONNX has not.
NetworkAsOnnx network_as_onnx(RecognitionNetwork& network, const std::string& name,
                              const std::map<std::string, std::string>& metadata);

}  // namespace facemae
