#include "model/attacks/tower.h"

#include <torch/torch.h>

#include "core/error.h"
#include "core/log.h"
#include "model/attacks/drawn.h"
#include "model/common/unit_rows.h"

namespace facemae {
namespace {

constexpr int kStages = 4;

}  // namespace

Tower::Tower(const TowerConfig& config) : config_(config) {
  if (config.side >> kStages < 1 || config.width < 1 || config.features < 1)
    throw ConfigError(fmt::format(
        "making a linker's tower of side {}, width {} and {} features: the side must be {} or more, the others positive",
        config.side, config.width, config.features, 1 << kStages));
  std::int64_t in = 3, out = config.width;
  for (int stage = 0; stage < kStages; ++stage) {
    const auto number = std::to_string(stage + 1);
    convolutions_.push_back(register_module("conv" + number, conv_without_bias({.in = in, .out = out})));
    norms_.push_back(register_module("norm" + number, group_norm(out)));
    in = out;
    out *= 2;
  }
  const auto left = config.side >> kStages;
  last_ = register_module("last", torch::nn::Linear(in * left * left, config.features));
}

void Tower::initialise(std::uint64_t seed) { draw_weights(*this, seed); }

torch::Tensor Tower::forward(const torch::Tensor& images) {
  auto x = images;
  if (x.size(2) != config_.side || x.size(3) != config_.side)
    x = at::adaptive_avg_pool2d(x, {config_.side, config_.side});
  for (std::size_t stage = 0; stage < convolutions_.size(); ++stage)
    x = at::max_pool2d(torch::relu(norms_[stage](convolutions_[stage](x))), {2, 2});
  return unit_rows(last_(x.flatten(1)).to(torch::kFloat32));
}

}  // namespace facemae
