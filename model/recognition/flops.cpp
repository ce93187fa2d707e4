#include "model/recognition/flops.h"

#include <array>
#include <map>

#include "model/common/masking.h"
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

double linear_flops(std::int64_t inputs, std::int64_t outputs) {
  return product_flops(1, static_cast<double>(inputs), static_cast<double>(outputs));
}

/// Of the blocks of iresnets and ir networks, which differ in where a projection lies beside them.
template <class Projected>
std::int64_t add_residual_stages(Convolutions& all, const std::array<int, 4>& blocks,
                                 const std::array<std::int64_t, 4>& widths, Projected projected) {
  std::int64_t width = widths[0];
  for (std::size_t stage = 0; stage < blocks.size(); ++stage)
    for (int block = 0; block < blocks[stage]; ++block) {
      const std::int64_t out = widths[stage], stride = block == 0 ? 2 : 1;
      all.add({.in = width, .out = out});
      all.add({.in = out, .out = out, .stride = stride});
      if (projected(width, out, stride))
        all.add_beside({.in = width, .out = out, .kernel = 1, .stride = stride, .padding = 0});
      width = out;
    }
  return width;
}

}  // namespace

Flops flops_of(const IResNetConfig& config, std::int64_t embedding) {
  Convolutions all;
  const double of_input = all.add({.in = 3, .out = config.widths[0]});
  const auto width =
      add_residual_stages(all, config.blocks, config.widths,
                          [](std::int64_t, std::int64_t, std::int64_t stride) { return stride == 2; });
  auto features = width * all.side() * all.side();
  if (config.pool) {
    all.add({.in = width, .out = width, .kernel = all.side(), .padding = 0, .groups = width});
    features = width;
  }
  return {.forward = all.flops() + linear_flops(features, embedding), .of_input = of_input};
}

Flops flops_of(const IrConfig& config, std::int64_t embedding) {
  Convolutions all;
  const double of_input = all.add({.in = 3, .out = config.widths[0]});
  const auto width =
      add_residual_stages(all, config.blocks, config.widths,
                          [](std::int64_t in, std::int64_t out, std::int64_t) { return in != out; });
  return {.forward = all.flops() + linear_flops(width * all.side() * all.side(), embedding),
          .of_input = of_input};
}

Flops flops_of(const MobileFaceNetConfig& config, std::int64_t embedding) {
  Convolutions all;
  const std::int64_t narrow = 64 * config.scale, wide = 128 * config.scale;
  const double of_input = all.add({.in = 3, .out = narrow, .stride = 2});
  const auto add_stage = [&](std::size_t stage, std::int64_t width, std::int64_t inner) {
    for (int i = 0; i < config.blocks[stage]; ++i) add_depthwise(all, width, width, inner, 1);
  };
  if (config.blocks[0] == 1)
    all.add({.in = narrow, .out = narrow, .groups = 64});
  else
    add_stage(0, narrow, 128);
  add_depthwise(all, narrow, narrow, 128, 2);
  add_stage(1, narrow, 128);
  add_depthwise(all, narrow, wide, 256, 2);
  add_stage(2, wide, 256);
  add_depthwise(all, wide, wide, 512, 2);
  add_stage(3, wide, 256);
  all.add({.in = wide, .out = 512, .kernel = 1, .padding = 0});
  all.add({.in = 512, .out = 512, .kernel = all.side(), .padding = 0, .groups = 512});
  return {.forward = all.flops() + linear_flops(512, embedding), .of_input = of_input};
}

Flops flops_of(const FaceVitConfig& config, std::int64_t embedding) {
  constexpr auto kTokens = static_cast<double>(kFaceVitTokens);
  const auto width = static_cast<double>(config.width);
  const auto seen = static_cast<double>(kept_patches(kFaceVitTokens, config.mask_tokens));
  const double of_input = product_flops(kTokens, 3.0 * kFaceVitPatch * kFaceVitPatch, width);
  const double attention = product_flops(seen, width, 4 * width) + 2 * product_flops(seen, width, seen);
  const double block = attention + 2 * product_flops(seen, width, 4 * width);
  return {.forward = of_input + config.depth * block + product_flops(1, kTokens * width, width) +
                     linear_flops(config.width, embedding),
          .of_input = of_input};
}

Flops network_flops(const std::string& name, const NetworkOptions& options) {
  const auto vit = [&](FaceVitConfig config) {
    config.mask_tokens = options.mask_tokens.value_or(config.mask_tokens);
    return flops_of(config, options.embedding);
  };
  const auto of = [&](const auto& config) { return flops_of(config, options.embedding); };
  const std::map<std::string, Flops> all = {{"mobilefacenet", of(mobilefacenet())},
                                            {"mobilefacenet-large", of(mobilefacenet_large())},
                                            {"iresnet-tiny", of(iresnet_tiny())},
                                            {"iresnet18", of(iresnet18())},
                                            {"iresnet34", of(iresnet34())},
                                            {"iresnet50", of(iresnet50())},
                                            {"iresnet100", of(iresnet100())},
                                            {"iresnet200", of(iresnet200())},
                                            {"ir18", of(ir18())},
                                            {"ir34", of(ir34())},
                                            {"ir50", of(ir50())},
                                            {"ir101", of(ir101())},
                                            {"vit-t", vit(face_vit_t())},
                                            {"vit-s", vit(face_vit_s())},
                                            {"vit-b", vit(face_vit_b())},
                                            {"vit-l", vit(face_vit_l())},
                                            {"vit-h", vit(face_vit_h())}};
  const auto found = all.find(name);
  return found == all.end() ? Flops{} : found->second;
}

}  // namespace facemae
