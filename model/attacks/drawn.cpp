#include "model/attacks/drawn.h"

#include <torch/torch.h>

#include <cmath>

#include "model/common/named_draws.h"

namespace facemae {

void draw_weights(torch::nn::Module& network, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  for (const auto& child : network.named_modules("", /*include_self=*/false)) {
    const auto& [name, module] = child.pair();
    if (auto* norm = module->as<torch::nn::GroupNorm>()) {
      norm->weight.fill_(1);
      norm->bias.fill_(0);
      continue;
    }
    for (const auto& item : module->named_parameters(/*recurse=*/false)) {
      const auto& weight = item.value();
      const auto inputs = module->named_parameters(false)["weight"][0].numel();
      fill_uniform(weight, 1 / std::sqrt(static_cast<double>(inputs)),
                   draws_of(seed, name + "." + item.key()));
    }
  }
}

}  // namespace facemae
