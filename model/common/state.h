#pragma once
// A module's weights under their official names, and back.
#include <torch/nn.h>

#include <string>
#include <utility>
#include <vector>

namespace facemae {

/// Parameters and buffers under their dotted names, in the order of a Python state dict (a module's own
/// before its children's), as references to the module's own tensors.
std::vector<std::pair<std::string, torch::Tensor>> state_of(const torch::nn::Module& module);
/// Copies weights into the module; throws ConfigError listing every missing, extra or mis-shaped key, and
/// then changes nothing.
void load_state(torch::nn::Module& module, const std::vector<std::pair<std::string, torch::Tensor>>& weights);

}  // namespace facemae
