#include "model/attacks/unet.h"

#include <torch/torch.h>

#include "core/error.h"
#include "core/log.h"
#include "model/attacks/drawn.h"

namespace facemae {
namespace {

constexpr int kMostHalvings = 4;
constexpr std::int64_t kBlock = 2;
constexpr std::int64_t kBlockValues = 3 * kBlock * kBlock;

int halvings_of(std::int64_t side) {
  int halvings = 0;
  while (halvings < kMostHalvings && side % 2 == 0) {
    side /= 2;
    ++halvings;
  }
  return halvings;
}

}  // namespace

UNet::UNet(std::int64_t side, std::int64_t width) {
  const int halvings = halvings_of(side);
  if (halvings == 0 || width < 1)
    throw ConfigError(fmt::format(
        "making a U-Net of width {} for pictures of {} x {}: the side must be even and the width positive",
        width, side, side));
  std::int64_t in = kBlockValues, out = width;
  for (int level = 1; level < halvings; ++level) {
    down_.push_back(stage("down" + std::to_string(level), in, out));
    in = out;
    out *= 2;
  }
  lowest_ = stage("lowest", in, out);
  up_.resize(down_.size());
  for (std::size_t level = up_.size(); level-- > 0;) {
    const std::int64_t beside = width << level;
    up_[level] = stage("up" + std::to_string(level + 1), out + beside, beside);
    out = beside;
  }
  last_ = register_module(
      "last", torch::nn::Conv2d(torch::nn::Conv2dOptions(width, kBlockValues, /*kernel_size=*/1)));
}

UNet::Stage UNet::stage(const std::string& name, std::int64_t in, std::int64_t out) {
  return {register_module(name + "_conv", conv_without_bias({.in = in, .out = out})),
          register_module(name + "_norm", group_norm(out))};
}

void UNet::initialise(std::uint64_t seed) { draw_weights(*this, seed); }

torch::Tensor UNet::through(Stage& stage, const torch::Tensor& x) {
  return torch::relu(stage.norm(stage.convolution(x)));
}

torch::Tensor UNet::forward(const torch::Tensor& images) {
  std::vector<torch::Tensor> beside;
  auto x = at::pixel_unshuffle(images, kBlock);
  for (auto& stage : down_) {
    beside.push_back(through(stage, x));
    x = at::avg_pool2d(beside.back(), {2, 2});
  }
  x = through(lowest_, x);
  for (std::size_t level = up_.size(); level-- > 0;) {
    x = at::upsample_nearest2d(x, {beside[level].size(2), beside[level].size(3)});
    x = through(up_[level], torch::cat({x, beside[level]}, 1));
  }
  return at::pixel_shuffle(last_(x).to(torch::kFloat32), kBlock);
}

}  // namespace facemae
