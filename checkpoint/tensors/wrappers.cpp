#include "checkpoint/tensors/wrappers.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/log.h"

namespace facemae {
namespace {

constexpr std::array<std::string_view, 7> kWrappers = {"module.", "_orig_mod.", "model.",  "backbone.",
                                                       "net.",    "network.",   "encoder."};
constexpr std::string_view kNetworkOfLightning = "model.", kHeadOfLightning = "head.";

std::ptrdiff_t beginning_with(std::string_view prefix, const NamedTensors& weights) {
  return std::count_if(weights.begin(), weights.end(),
                       [&](const auto& one) { return one.first.starts_with(prefix); });
}

void leave_out_head(NamedTensors& weights) {
  const auto heads = beginning_with(kHeadOfLightning, weights),
             networks = beginning_with(kNetworkOfLightning, weights);
  if (heads == 0 || networks == 0 || heads + networks != std::ssize(weights)) return;
  std::erase_if(weights, [](const auto& one) { return one.first.starts_with(kHeadOfLightning); });
  spdlog::info("the weights have a head of {} tensor(s) (class centres), which is left out", heads);
}

}  // namespace

NamedTensors without_wrappers(NamedTensors weights) {
  leave_out_head(weights);
  for (bool again = !weights.empty(); again;) {
    again = false;
    for (const std::string_view wrapper : kWrappers) {
      if (beginning_with(wrapper, weights) != std::ssize(weights)) continue;
      for (auto& [name, value] : weights) name.erase(0, wrapper.size());
      again = true;
    }
  }
  return weights;
}

}  // namespace facemae
