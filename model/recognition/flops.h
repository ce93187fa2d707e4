#pragma once
// How much recognition networks and the softmax over classes compute (model/common/flops.h).
#include <cstdint>
#include <string>

#include "model/common/flops.h"
#include "model/recognition/iresnet.h"

namespace facemae {

/// Of an image of 112 x 112.
Flops flops_of(const IResNetConfig& config);
Flops mobilefacenet_flops();
/// By the name of its kind; nothing for another name.
Flops network_flops(const std::string& name);

/// Cosines of an embedding with all classes, whichever ranks hold them, forward and backward.
constexpr double softmax_flops(std::int64_t classes) {
  return 3 * product_flops(1, static_cast<double>(kEmbeddingWidth), static_cast<double>(classes));
}

}  // namespace facemae
