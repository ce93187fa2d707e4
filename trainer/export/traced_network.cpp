#include "trainer/export/traced_network.h"

#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/torch.h>

#include "data/image/align.h"

namespace facemae {

OperationGraph traced(RecognitionNetwork& network, std::int64_t images) {
  const torch::NoGradGuard no_grad;
  network.eval();
  for (auto& parameter : network.parameters())
    parameter.set_requires_grad(false);  // else none may be a constant
  const auto input = torch::zeros({images, 3, kAlignedSize, kAlignedSize});
  const auto run = [&](const torch::jit::Stack& given) {
    return torch::jit::Stack{network.forward(given.at(0).toTensor())};
  };
  const auto without_name = [](const torch::Tensor&) { return std::string(); };
  return torch::jit::tracer::trace({input}, run, without_name).first->graph;
}

std::optional<torch::IValue> constant_of(const torch::jit::Value& value) {
  const auto& node = *value.node();
  if (node.kind() != torch::jit::prim::ListConstruct) return torch::jit::toIValue(&value);
  c10::List<std::int64_t> whole;
  for (const auto* element : node.inputs()) {
    const auto constant = torch::jit::toIValue(element);
    if (!constant || !constant->isInt()) return {};
    whole.push_back(constant->toInt());
  }
  return torch::IValue(whole);
}

}  // namespace facemae
