#include "model/common/state.h"

#include <torch/torch.h>

#include <map>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

void collect(const torch::nn::Module& module, const std::string& prefix,
             std::vector<std::pair<std::string, torch::Tensor>>& state) {
  for (const auto& item : module.named_parameters(/*recurse=*/false))
    state.emplace_back(prefix + item.key(), item.value());
  for (const auto& item : module.named_buffers(/*recurse=*/false))
    state.emplace_back(prefix + item.key(), item.value());
  for (const auto& child : module.named_children())
    collect(*child.value(), prefix + child.key() + ".", state);
}

/// The first ones: of another depth of a network some hundred differ.
std::string first_faults(std::vector<std::string> faults) {
  constexpr std::size_t kShown = 8;
  const std::size_t more = faults.size() > kShown ? faults.size() - kShown : 0;
  faults.resize(faults.size() - more);
  return join(faults, "; ") + (more > 0 ? fmt::format("; and {} more", more) : "");
}

std::string shape_text(const torch::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

}  // namespace

std::vector<std::pair<std::string, torch::Tensor>> state_of(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, torch::Tensor>> state;
  collect(module, "", state);
  return state;
}

void load_state(torch::nn::Module& module,
                const std::vector<std::pair<std::string, torch::Tensor>>& weights) {
  auto state = state_of(module);
  std::map<std::string, torch::Tensor> own(state.begin(), state.end());
  std::vector<std::string> faults;
  std::map<std::string, torch::Tensor> given;
  for (const auto& [name, value] : weights) {
    const auto found = own.find(name);
    if (!given.emplace(name, value).second) {
      faults.push_back(name + " is given twice");
    } else if (found == own.end()) {
      faults.push_back(name + " is not of this model");
    } else if (found->second.sizes() != value.sizes()) {
      const auto sizes = value.sizes();
      const bool transposed =
          found->second.sizes().vec() == std::vector<std::int64_t>(sizes.rbegin(), sizes.rend());
      faults.push_back(fmt::format("{} is {}, the model's is {}{}", name, shape_text(value),
                                   shape_text(found->second), transposed ? " (transposed)" : ""));
    }
  }
  for (const auto& [name, tensor] : state)
    if (!given.contains(name)) faults.push_back(fmt::format("{} {} is missing", name, shape_text(tensor)));
  if (!faults.empty())
    throw ConfigError(
        fmt::format("loading {} weights into a model with {}: {} do not fit: {}. "
                    "Check that the weights belong to this kind and size of model.",
                    weights.size(), state.size(), faults.size(), first_faults(faults)));
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state) tensor.copy_(given.at(name));
}

}  // namespace facemae
