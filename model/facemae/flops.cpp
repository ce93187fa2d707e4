#include "model/facemae/flops.h"

#include "model/common/masking.h"

namespace facemae {
namespace {

double block_flops(double tokens, double width) {
  const double linear = product_flops(tokens, width, 3 * width) + product_flops(tokens, width, width) +
                        2 * product_flops(tokens, width, 4 * width);
  const double attention = 2 * product_flops(tokens, width, tokens);  // over all heads together
  return linear + attention;
}

}  // namespace

FaceMaeFlops flops_of(const FaceMaeConfig& config, double mask_ratio) {
  const auto patches = config.patches();
  const double kept = static_cast<double>(kept_patches(patches, mask_ratio)), width = config.width,
               values = static_cast<double>(config.patch_values()), all = static_cast<double>(patches) + 1,
               decoder_width = config.decoder_width, code = config.code;
  FaceMaeFlops flops;
  flops.encoder.of_input = product_flops(kept, values, width);
  flops.encoder.forward = flops.encoder.of_input + config.depth * block_flops(kept + 1, width) +
                          product_flops(kept + 1, width, decoder_width) +
                          product_flops(1, decoder_width, code);
  flops.decoder = product_flops(1, code, decoder_width) +
                  config.decoder_depth * block_flops(all, decoder_width) +
                  product_flops(all, decoder_width, values);
  return flops;
}

Flops flops_of(const RandomEmbedderConfig& config) {
  Flops flops;
  double channels = 3, width = config.width;
  for (int side = config.size, block = 0; block < 3; side /= 2, ++block) {
    flops.forward += product_flops(static_cast<double>(side) * side, 9 * channels, width);
    if (block == 0) flops.of_input = flops.forward;
    channels = width;
  }
  return flops;
}

}  // namespace facemae
