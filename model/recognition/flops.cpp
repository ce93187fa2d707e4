#include "model/recognition/flops.h"

#include <map>

#include "model/recognition/network_parts.h"

namespace facemae {
namespace {

constexpr std::int64_t kInputSide = 112;

/// Adds up convolutions that follow each other, and knows the side of the map between them.
class Convolutions {
 public:
  double add(const ConvShape& shape) { return flops_ += of(shape, side_ = side_after(shape)); }
  /// Beside the last one, from the map before it.
  void add_beside(const ConvShape& shape) { flops_ += of(shape, side_); }
  std::int64_t side() const { return side_; }
  double flops() const { return flops_; }

 private:
  std::int64_t side_after(const ConvShape& shape) const {
    return (side_ + 2 * shape.padding - shape.kernel) / shape.stride + 1;
  }
  static double of(const ConvShape& shape, std::int64_t side) {
    return product_flops(static_cast<double>(side * side),
                         static_cast<double>(shape.in / shape.groups * shape.kernel * shape.kernel),
                         static_cast<double>(shape.out));
  }

  std::int64_t side_ = kInputSide;
  double flops_ = 0;
};

/// Widen, filter each channel alone, narrow.
void add_depthwise(Convolutions& all, std::int64_t in, std::int64_t out, std::int64_t inner,
                   std::int64_t stride) {
  all.add({.in = in, .out = inner, .kernel = 1, .padding = 0});
  all.add({.in = inner, .out = inner, .stride = stride, .groups = inner});
  all.add({.in = inner, .out = out, .kernel = 1, .padding = 0});
}

double embedding_flops(std::int64_t features) {
  return product_flops(1, static_cast<double>(features), static_cast<double>(kEmbeddingWidth));
}

}  // namespace

Flops flops_of(const IResNetConfig& config) {
  Convolutions all;
  std::int64_t width = config.widths[0];
  const double of_input = all.add({.in = 3, .out = width});
  for (std::size_t stage = 0; stage < config.blocks.size(); ++stage) {
    const auto out = config.widths[stage];
    for (int block = 0; block < config.blocks[stage]; ++block) {
      const std::int64_t stride = block == 0 ? 2 : 1;
      all.add({.in = width, .out = out});
      all.add({.in = out, .out = out, .stride = stride});
      if (stride == 2) all.add_beside({.in = width, .out = out, .kernel = 1, .stride = stride, .padding = 0});
      width = out;
    }
  }
  auto features = width * all.side() * all.side();
  if (config.pool) {
    all.add({.in = width, .out = width, .kernel = all.side(), .padding = 0, .groups = width});
    features = width;
  }
  return {.forward = all.flops() + embedding_flops(features), .of_input = of_input};
}

Flops mobilefacenet_flops() {
  Convolutions all;
  const double of_input = all.add({.in = 3, .out = 128, .stride = 2});
  all.add({.in = 128, .out = 128, .groups = 64});
  add_depthwise(all, 128, 128, 128, 2);
  for (int i = 0; i < 4; ++i) add_depthwise(all, 128, 128, 128, 1);
  add_depthwise(all, 128, 256, 256, 2);
  for (int i = 0; i < 6; ++i) add_depthwise(all, 256, 256, 256, 1);
  add_depthwise(all, 256, 256, 512, 2);
  for (int i = 0; i < 2; ++i) add_depthwise(all, 256, 256, 256, 1);
  all.add({.in = 256, .out = 512, .kernel = 1, .padding = 0});
  all.add({.in = 512, .out = 512, .kernel = all.side(), .padding = 0, .groups = 512});
  return {.forward = all.flops() + embedding_flops(512), .of_input = of_input};
}

Flops network_flops(const std::string& name) {
  const std::map<std::string, Flops> all = {
      {"mobilefacenet", mobilefacenet_flops()}, {"iresnet-tiny", flops_of(iresnet_tiny())},
      {"iresnet18", flops_of(iresnet18())},     {"iresnet34", flops_of(iresnet34())},
      {"iresnet50", flops_of(iresnet50())},     {"iresnet100", flops_of(iresnet100())}};
  const auto found = all.find(name);
  return found == all.end() ? Flops{} : found->second;
}

}  // namespace facemae
