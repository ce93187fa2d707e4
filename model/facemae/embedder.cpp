#include "model/facemae/embedder.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "model/common/named_draws.h"
#include "model/facemae/drawn_ahead.h"

namespace facemae {
namespace {

/// No images, no values, but a graph: a rank without rows still takes part in backward.
torch::Tensor nothing(const torch::Tensor& images, std::int64_t width) {
  return images.to(torch::kFloat32).sum() + torch::zeros({0, width}, images.options().dtype(torch::kFloat32));
}

/// Number `number` of the weights that a random embedder draws.
std::vector<torch::Tensor> draw_weights(const RandomEmbedderConfig& config, std::uint64_t number) {
  std::vector<torch::Tensor> weights;
  for (std::size_t layer = 0; layer < 3; ++layer) {
    const std::int64_t in = layer == 0 ? 3 : config.width;
    weights.push_back(torch::empty({config.width, in, 3, 3}, torch::kFloat32));
    // PyTorch's default for convolutions; biases would cancel in the norm.
    const Draws draws(key_of(config.seed, Purpose::Embedder, number, layer));
    fill_uniform(weights.back(), 1 / std::sqrt(9.0 * static_cast<double>(in)), draws);
  }
  return weights;
}

/// Means of equal squares where the side divides: on GPUs the general form has no gradient with a fixed order of
/// additions, which --deterministic demands.
torch::Tensor shrunk(const torch::Tensor& images, std::int64_t side) {
  const bool divides = images.size(2) % side == 0 && images.size(2) == images.size(3);
  if (at::globalContext().deterministicAlgorithms() && divides)
    return at::avg_pool2d(images, {images.size(2) / side, images.size(2) / side});
  return at::adaptive_avg_pool2d(images, {side, side});
}

class RandomEmbedder final : public Embedder {
 public:
  explicit RandomEmbedder(const RandomEmbedderConfig& config) : config_(config) {
    if (config.size < 8 || config.width < 1)
      throw ConfigError(fmt::format(
          "making the random embedder: size {} and width {}; "
          "it halves the image three times, so choose a size of 8 or more (56 is usual) and a width of 1 or more (128).",
          config.size, config.width));
    at_step(0);
  }

  torch::Tensor embed(const torch::Tensor& images) override {
    if (images.size(0) == 0) return nothing(images, config_.values());
    auto x = images;
    if (x.size(2) != config_.size || x.size(3) != config_.size) x = shrunk(x, config_.size);
    for (const auto& weight : weights_) {
      x = at::conv2d(x, weight, /*bias=*/{}, /*stride=*/1, /*padding=*/1);
      x = at::instance_norm(x, {}, {}, {}, {}, /*use_input_stats=*/true, 0.1, 1e-5, /*cudnn_enabled=*/true);
      x = at::avg_pool2d(at::relu(x), {2, 2});
    }
    x = x.to(torch::kFloat32);
    const std::int64_t grid = config_.map_side();
    if (x.size(2) != grid) x = at::adaptive_avg_pool2d(x, {grid, grid});
    return x.flatten(1);
  }

  void at_step(std::uint64_t step) override {
    const std::uint64_t number = config_.redraw == 0 ? 0 : step / config_.redraw;
    if (drawn_ == number) return;
    weights_ = ahead_ ? ahead_->take(number) : draw_weights(config_, number);
    drawn_ = number;
  }

  void to(torch::Device device) override {
    for (auto& weight : weights_) weight = weight.to(device);
    ahead_.reset();
    if (!device.is_cpu() && config_.redraw > 0)
      ahead_ = std::make_unique<DrawnAhead>(
          [config = config_](std::uint64_t number) { return draw_weights(config, number); },
          side_stream(device));
  }

 private:
  RandomEmbedderConfig config_;
  std::optional<std::uint64_t> drawn_;
  std::vector<torch::Tensor> weights_;
  std::unique_ptr<DrawnAhead> ahead_;  ///< on an accelerator, where weights change
};

class NetworkEmbedder final : public Embedder {
 public:
  explicit NetworkEmbedder(std::shared_ptr<RecognitionNetwork> network) : network_(std::move(network)) {
    network_->eval();
    for (auto& parameter : network_->parameters()) parameter.requires_grad_(false);
  }

  torch::Tensor embed(const torch::Tensor& images) override {
    if (images.size(0) == 0) return nothing(images, network_->width());
    auto x = images;
    if (x.size(2) != kSide || x.size(3) != kSide)
      x = at::_upsample_bilinear2d_aa(x, {kSide, kSide}, /*align_corners=*/false);
    return network_->forward(x).to(torch::kFloat32);
  }

  void at_step(std::uint64_t /*step*/) override {}
  void to(torch::Device device) override { network_->to(device); }

 private:
  static constexpr std::int64_t kSide = 112;
  std::shared_ptr<RecognitionNetwork> network_;
};

}  // namespace

std::int64_t RandomEmbedderConfig::map_side() const {
  const int last = size / 2 / 2 / 2;
  return grid == 0 ? last : std::min(grid, last);
}

std::unique_ptr<Embedder> random_embedder(const RandomEmbedderConfig& config) {
  return std::make_unique<RandomEmbedder>(config);
}

std::unique_ptr<Embedder> network_embedder(std::shared_ptr<RecognitionNetwork> network) {
  if (!network) throw Error("making an embedder of a recognition network: there is no network.");
  return std::make_unique<NetworkEmbedder>(std::move(network));
}

}  // namespace facemae
