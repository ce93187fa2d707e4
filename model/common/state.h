#pragma once
// Reads a module's weights under their official names, and loads them back.
#include <torch/nn.h>

#include <string>
#include <utility>
#include <vector>

namespace facemae {

/// Parameters and buffers under their dotted names, in the order of a Python state dict (a module's own
/// before its children's), as references to the module's own tensors.
std::vector<std::pair<std::string, torch::Tensor>> state_of(const torch::nn::Module& module);
/// Copies weights into the module. If keys are missing, extra or mis-shaped, throws ConfigError listing all
/// of them and changes nothing.
void load_state(torch::nn::Module& module, const std::vector<std::pair<std::string, torch::Tensor>>& weights);

}  // namespace facemae
