#include "trainer/export/network_as_onnx.h"

#include <torch/torch.h>

#include "core/error.h"
#include "data/image/align.h"
#include "trainer/export/onnx_operations.h"
#include "trainer/export/traced_network.h"

namespace facemae {

NetworkAsOnnx network_as_onnx(RecognitionNetwork& network, const std::string& name,
                              const std::map<std::string, std::string>& metadata) {
  const auto two = traced(network, 2), three = traced(network, 3);
  const auto width = *two->outputs().at(0)->type()->expectRef<c10::TensorType>().sizes()[1];
  NetworkAsOnnx onnx{.graph = {.name = name,
                               .input = {"data", {-1, 3, kAlignedSize, kAlignedSize}},
                               .output = {"embedding", {-1, width}},
                               .nodes = {},
                               .constants = {},
                               .metadata = metadata}};
  OnnxWriting writing(onnx.graph, onnx.kept, network);
  writing.names(*two->inputs().at(0), onnx.graph.input.name);
  auto twin = three->nodes().begin();
  for (const auto* node : two->nodes()) {
    if (twin == three->nodes().end() || (*twin)->kind() != node->kind())
      throw ConfigError(
          name + " computes other operations for another number of images, which is not written as ONNX");
    writing.add({.node = *node, .twin = **twin});
    ++twin;
  }
  onnx.graph.nodes.push_back({.kind = "Identity",
                              .inputs = {writing.name_of(*two->outputs().at(0))},
                              .output = onnx.graph.output.name});
  return onnx;
}

}  // namespace facemae
